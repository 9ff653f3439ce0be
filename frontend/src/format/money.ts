const CENTS = 100n;
const NANO_DIGITS = 9;
/** Nobody reads more than six decimals of a dollar. */
const MOST_DECIMALS = 6;
const LEAST_DECIMALS = 2;

const symbols: Record<string, string> = { USD: "$", EUR: "€", GBP: "£" };

/** formatCents writes an amount exactly: `$1,234.50`, `−$0.07`. */
export function formatCents(cents: bigint, currency = "USD"): string {
  const abs = cents < 0n ? -cents : cents;
  const minor = (abs % CENTS).toString().padStart(2, "0");
  return withSign(cents < 0n, `${group(abs / CENTS)}.${minor}`, currency);
}

/**
 * formatNano writes an amount of nano-dollars with two to six decimals, as a
 * unit price needs: `$0.000007`, `$2.40`. A price below the last decimal reads
 * `<$0.000001` and never as nothing.
 */
export function formatNano(nano: bigint, currency = "USD"): string {
  const abs = nano < 0n ? -nano : nano;
  const scale = 10n ** BigInt(NANO_DIGITS - MOST_DECIMALS);
  const micros = (abs + scale / 2n) / scale;
  if (micros === 0n && abs !== 0n) return `<${withSign(nano < 0n, "0.000001", currency)}`;
  const one = 10n ** BigInt(MOST_DECIMALS);
  let fraction = (micros % one).toString().padStart(MOST_DECIMALS, "0");
  while (fraction.length > LEAST_DECIMALS && fraction.endsWith("0")) fraction = fraction.slice(0, -1);
  return withSign(nano < 0n, `${group(micros / one)}.${fraction}`, currency);
}

function group(whole: bigint): string {
  return whole.toString().replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

function withSign(negative: boolean, amount: string, currency: string): string {
  const symbol = symbols[currency.toUpperCase()];
  const text = symbol ? `${symbol}${amount}` : `${amount} ${currency.toUpperCase()}`;
  return negative ? `−${text}` : text;
}
