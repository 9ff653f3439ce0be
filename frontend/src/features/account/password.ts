const LEAST = 8;
const MOST = 128;

/**
 * passwordProblem says what is wrong with a new password before it is sent. The
 * server also refuses what is easy to guess.
 */
export function passwordProblem(password: string): string | undefined {
  const length = [...password].length;
  if (length < LEAST) return `At least ${LEAST} characters; ${length} so far.`;
  if (length > MOST) return `At most ${MOST} characters.`;
  return undefined;
}
