/** Where the arrow keys lead in the picture. Pure. */

/** A mark as the keys see it. */
export interface Spot {
  id: number;
  branch: number;
  x: number;
  y: number;
}

/**
 * The mark that a key leads to from another: left and right along the branch, up and down to the nearest one of the
 * branch above or below, Home and End to its first and last. Undefined when the key leads nowhere.
 */
export function leadsTo(spots: readonly Spot[], from: number, key: string): number | undefined {
  const at = spots.find((spot) => spot.id === from);
  if (at === undefined) {
    return spots[0]?.id;
  }
  const branch = spots.filter((spot) => spot.branch === at.branch).sort((a, b) => a.x - b.x || a.id - b.id);
  const index = branch.indexOf(at);
  switch (key) {
    case "ArrowLeft":
      // At its start, a branch goes on to the left with the one that it came from.
      return branch[index - 1]?.id ?? nearest(spots, at, (spot) => spot.branch < at.branch && spot.x < at.x);
    case "ArrowRight":
      return branch[index + 1]?.id;
    case "ArrowUp":
      return nearest(spots, at, (spot) => spot.branch === below(spots, at.branch, -1));
    case "ArrowDown":
      return nearest(spots, at, (spot) => spot.branch === below(spots, at.branch, 1));
    case "Home":
      return branch[0]?.id;
    case "End":
      return branch.at(-1)?.id;
    default:
      return undefined;
  }
}

function below(spots: readonly Spot[], branch: number, direction: 1 | -1): number | undefined {
  const branches = [...new Set(spots.map((spot) => spot.branch))].sort((a, b) => a - b);
  return branches[branches.indexOf(branch) + direction];
}

function nearest(spots: readonly Spot[], at: Spot, test: (spot: Spot) => boolean): number | undefined {
  const distance = (spot: Spot): number => Math.abs(spot.x - at.x);
  return spots.filter(test).sort((a, b) => distance(a) - distance(b) || b.branch - a.branch || a.id - b.id)[0]?.id;
}
