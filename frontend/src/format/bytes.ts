const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** formatBytes writes a size in IEC units: `812 B`, `1.5 KiB`, `64 GiB`. */
export function formatBytes(bytes: number | bigint): string {
  let size = Number(bytes);
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  const text = unit === 0 || size >= 100 || Number.isInteger(size) ? Math.round(size).toString() : size.toFixed(1);
  return `${text} ${units[unit]}`;
}

/** formatCores writes CPU millis as cores: `4 CPU`, `0.5 CPU`. */
export function formatCores(millis: number | bigint): string {
  return `${Number(millis) / 1000} CPU`;
}
