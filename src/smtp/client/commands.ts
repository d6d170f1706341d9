/** A MAIL command with its CRLF (RFC 5321 4.1.1.2). */
export function mailCommand(reversePath: string, parameters: readonly string[]): string {
  return commandLine(`MAIL FROM:<${reversePath}>`, parameters);
}

/** A RCPT command with its CRLF (RFC 5321 4.1.1.3). */
export function rcptCommand(forwardPath: string, parameters: readonly string[]): string {
  return commandLine(`RCPT TO:<${forwardPath}>`, parameters);
}

/**
 * One command line.
 *
 * @throws RangeError when it would be more than one: such a path must not get here.
 */
function commandLine(command: string, parameters: readonly string[]): string {
  const line = parameters.length === 0 ? command : `${command} ${parameters.join(" ")}`;
  if (line.includes("\r") || line.includes("\n")) {
    throw new RangeError(
      `Cannot write a command: it has a line break, got ${JSON.stringify(line)}`,
    );
  }
  return `${line}\r\n`;
}
