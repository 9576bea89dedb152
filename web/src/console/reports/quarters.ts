// Names of quarters, newest first: 2026-Q4, 2026-Q3, …
export function recentQuarters(today: Date, count: number): string[] {
  const newest = today.getFullYear() * 4 + Math.floor(today.getMonth() / 3);
  return Array.from({ length: count }, (_, back) => {
    const quarter = newest - back;
    return `${Math.floor(quarter / 4)}-Q${(quarter % 4) + 1}`;
  });
}
