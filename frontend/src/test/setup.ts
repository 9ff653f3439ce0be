import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterEach, vi } from "vitest";

// What this DOM lacks and the component library asks for. There is no layout
// either: everything is as large as a small screen, so that lists draw rows.
vi.stubGlobal("matchMedia", (media: string) => ({
  media,
  matches: false,
  onchange: null,
  addEventListener: () => undefined,
  removeEventListener: () => undefined,
  dispatchEvent: () => false,
}));
vi.stubGlobal(
  "ResizeObserver",
  class {
    observe() {}
    unobserve() {}
    disconnect() {}
  },
);
vi.stubGlobal(
  "IntersectionObserver",
  class {
    constructor(private readonly found: (entries: { isIntersecting: boolean }[]) => void) {}
    observe() {
      this.found([{ isIntersecting: true }]);
    }
    unobserve() {}
    disconnect() {}
  },
);
Object.defineProperties(HTMLElement.prototype, {
  offsetWidth: { get: () => 1024 },
  offsetHeight: { get: () => 640 },
  clientWidth: { get: () => 1024 },
  clientHeight: { get: () => 640 },
});
Object.defineProperty(document, "fonts", { value: new EventTarget() });
Element.prototype.scrollIntoView = () => undefined;
Element.prototype.scrollTo = () => undefined;
window.scrollTo = () => undefined;

// Pages load their code when they open; two busy cores take their time.
configure({ asyncUtilTimeout: 8000 });

afterEach(() => {
  cleanup();
  localStorage.clear();
  sessionStorage.clear();
});
