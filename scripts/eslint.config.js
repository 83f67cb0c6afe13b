// What the page's code is held to; `scripts/check-web` runs it. Each rule that is off or narrowed says why.

const js = require("@eslint/js");
const globals = require("globals");

const drawing = ["document", "window", "localStorage", "sessionStorage", "customElements", "HTMLElement", "requestAnimationFrame"];

module.exports = [
  js.configs.recommended,
  {
    files: ["**/web/**/*.js"],
    languageOptions: { ecmaVersion: 2023, sourceType: "module", globals: globals.browser },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: "error",
      "no-eval": "error",
      "no-implied-eval": "error", // the page's policy forbids it
      "no-unused-vars": ["error", { argsIgnorePattern: "^_" }], // hooks that do nothing name what they are given
      "no-var": "error",
      "prefer-const": "error",
      "object-shorthand": "error",
      "no-useless-return": "error",
      "no-shadow": ["error", { builtinGlobals: false }],
      "no-else-return": "off", // two branches of equal weight read better side by side
      "no-restricted-properties": ["error", ...["innerHTML", "outerHTML"].map((property) => (
        { property, message: "Texts of models and people are text: use el() and textContent." }))],
      "max-lines": ["error", { max: 400 }],
      complexity: ["error", 20],
    },
  },
  {
    files: ["**/web/core/**/*.js"],
    rules: {
      "no-restricted-globals": ["error", ...drawing.map((name) => ({ name, message: "core/ has no DOM: what draws is in app/." }))],
      "no-restricted-imports": ["error", { patterns: ["**/app/**"] }],
    },
  },
  { files: ["**/web/again.js"], languageOptions: { sourceType: "script" } },
];
