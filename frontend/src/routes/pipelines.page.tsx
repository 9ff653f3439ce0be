export function PipelinesPage() {
  return <p>PipelinesPage</p>;
}
