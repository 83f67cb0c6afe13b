// What outlives a page: the values of the controls, and the claim to a session that a reload goes on with.

const VALUES = "reactor:values:";
const CLAIM = "reactor:claim";

/** Storage may be switched off; the page works without it. */
function tried(action, otherwise = null) {
  try {
    return action();
  } catch {
    return otherwise;
  }
}

export const loadValues = (model) => tried(() => JSON.parse(localStorage.getItem(VALUES + model)));
export const saveValues = (model, values) => tried(() => localStorage.setItem(VALUES + model, JSON.stringify(values)));

/** A page that goes away leaves its claim; the next one takes it, so that two pages never fight for one session. */
export const leaveClaim = (claim) => claim && tried(() => localStorage.setItem(CLAIM, claim));

export function takeClaim() {
  return tried(() => {
    const claim = localStorage.getItem(CLAIM);
    localStorage.removeItem(CLAIM);
    return claim;
  });
}
