/** nodemailer's reading of address fields. */
declare function addressparser(
  value: string,
  options: { readonly flatten: boolean },
): readonly { readonly name: string; readonly address: string }[];

export default addressparser;
