/** The document of the timeline view. Its picture is drawn by its own script, from the data that it is sent. */

/** What the document loads, as addresses that the view may use. */
export interface Resources {
  script: string;
  style: string;
  /** Where styles may come from. */
  source: string;
  /** A number used once: only the script that carries it runs. */
  nonce: string;
}

/** The document. Nothing in it comes from a workflow or a job. */
export function pageOf({ script, style, source, nonce }: Resources): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src ${source}; script-src 'nonce-${nonce}'">
<title>Job Timeline</title>
<link rel="stylesheet" href="${style}">
</head>
<body>
<main>
<div id="picture"></div>
<section id="detail" aria-live="polite"></section>
</main>
<script nonce="${nonce}" src="${script}"></script>
</body>
</html>
`;
}
