/** The part of nodemailer that tests use. */
export interface Transport {
  sendMail(mail: {
    readonly envelope: { readonly from: string; readonly to: readonly string[] };
    readonly raw: string;
  }): Promise<{ readonly response: string }>;
  close(): void;
}

declare const nodemailer: {
  createTransport(options: {
    readonly host: string;
    readonly port: number;
    readonly secure: boolean;
    readonly requireTLS: boolean;
    readonly name: string;
    readonly auth: { readonly user: string; readonly pass: string };
    readonly tls: { readonly ca: string; readonly servername: string };
  }): Transport;
};

export default nodemailer;
