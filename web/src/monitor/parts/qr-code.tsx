import { useMemo } from 'preact/hooks';
import encodeQR from 'qr';

/** A QR code, always dark on white, because not every camera reads light codes. */
export function QrCode({ text }: { text: string }) {
  const { path, size } = useMemo(() => squares(text), [text]);
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={`QR code of ${text}`}>
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" shape-rendering="crispEdges" />
    </svg>
  );
}

function squares(text: string): { path: string; size: number } {
  const rows = encodeQR(text, 'raw', { ecc: 'medium', border: 3 });
  let path = '';
  rows.forEach((row, y) =>
    row.forEach((isDark, x) => {
      if (isDark) path += `M${x} ${y}h1v1h-1z`;
    }),
  );
  return { path, size: rows.length };
}
