// @ts-check
// A link that carries the values of the controls, behind its `#`: no server ever sees them.

const LENGTH_MAX = 16_000;

/** Behind `address`; null where the values are too long for an address. */
export function linkWith(values, address) {
  const url = `${address}#${encodeURIComponent(JSON.stringify(values))}`;
  return url.length > LENGTH_MAX ? null : url;
}

/** `{command: {field: value}}`, or null where there is no such thing. */
export function valuesIn(hash) {
  if (hash.length < 4 || hash.length > LENGTH_MAX) return null;
  try {
    const values = JSON.parse(decodeURIComponent(hash.slice(1)));
    const isObject = (each) => typeof each === "object" && each !== null && !Array.isArray(each);
    return isObject(values) && Object.values(values).every(isObject) ? values : null;
  } catch {
    return null;
  }
}
