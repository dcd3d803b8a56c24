/** What the editor calls when the extension starts. */
export function activate(): void {}
