export function PoolsPage() {
  return <p>PoolsPage</p>;
}
