// What a page takes from the package.
export { Reactor } from "@reactor-team/js-sdk";
