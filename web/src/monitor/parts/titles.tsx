/** What a page is about: what computes, and for whom. `brand` names the kind of the page. */
export function Titles({ brand, title, from }: { brand: string; title: string; from: string }) {
  return (
    <div class="titles">
      <p class="brand">{brand}</p>
      <h1>
        <bdi>{title}</bdi>
      </h1>
      {from && (
        <p class="from">
          for <bdi>{from}</bdi>
        </p>
      )}
    </div>
  );
}
