const ESC = "\u001b";
const every = 140;

interface Line {
  time: string;
  stream: "stdout" | "stderr";
  text: string;
}

/**
 * logLine writes the n-th line that a task had printed by a moment, or nothing
 * when it had not come so far. Some lines are coloured, as training code is.
 */
export function logLine(
  task: string,
  n: number,
  from: number,
  until: number,
  reason: string | undefined,
): Line | undefined {
  const at = from + n * every;
  const failed = reason?.startsWith("exit") === true;
  const total = Math.floor((until - from) / every);
  if (at > until) return undefined;
  const time = new Date(at).toISOString();
  if (failed && n > total - 6 && n <= total) return { time, stream: "stderr", text: traceback[n - total + 5] ?? "" };
  if (n === 0) return { time, stream: "stdout", text: `$ python ${task}.py` };
  if (n === 1) return { time, stream: "stdout", text: `${ESC}[2mloading 1797 images, 8x8, 10 classes${ESC}[0m` };
  if (n % 23 === 0) return { time, stream: "stderr", text: `${ESC}[33mwarning:${ESC}[0m learning rate is below 1e-4` };
  if (n % 11 === 0)
    return {
      time,
      stream: "stdout",
      text: `${ESC}[32m✓${ESC}[0m checkpoint ${Math.floor(n / 11)} written, ${(n * 3.1).toFixed(1)} MiB`,
    };
  const loss = 2.3 * Math.exp(-n / 60) + 0.02 * Math.abs(Math.sin(n));
  return {
    time,
    stream: "stdout",
    text: `step ${String(n).padStart(4, "0")}  loss ${ESC}[1m${loss.toFixed(4)}${ESC}[0m  acc ${(1 - loss / 3).toFixed(3)}  ${Math.round(900 + 80 * Math.sin(n))} rows/s`,
  };
}

const traceback = [
  "Traceback (most recent call last):",
  '  File "/srv/fraud/train.py", line 84, in <module>',
  "    main()",
  '  File "/srv/fraud/train.py", line 61, in main',
  "    model.fit(scaler.transform(features), labels)",
  `${ESC}[31;1mValueError${ESC}[0m: feature matrix has 64 columns, the scaler was fitted on 63`,
];
