export function PoolPage() {
  return <p>PoolPage</p>;
}
