import { after } from "@odoo/hoot";

/**
 * Hide the tab or show it, as far as a page can tell.
 *
 * @param {"hidden" | "visible"} visibility
 */
export function setTab(visibility) {
    Object.defineProperty(document, "visibilityState", { value: visibility, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
    after(() => delete document.visibilityState);
}
