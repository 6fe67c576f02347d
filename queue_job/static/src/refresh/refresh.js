import { Component, onMounted, onWillUnmount, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";

export const LIVE = "live";
export const PAUSED = "paused";

const STORED_AS = "queue_job.refresh";

/** What the control offers; remembered by the browser. */
export const MODES = [
    { key: LIVE, label: _t("Live") },
    { key: "5", label: _t("5 s") },
    { key: "30", label: _t("30 s") },
    { key: PAUSED, label: _t("Paused") },
];

/**
 * Call back now and then while the component is mounted and its tab is seen.
 *
 * Each pause begins when the call before has ended, so that a slow server is not asked more often
 * than it answers. A tab that was hidden for longer calls back as soon as it is seen.
 *
 * @param {() => any} callback
 * @param {number | (() => number)} seconds pause between two calls; 0 for no calls at all, whatever
 *      becomes of the tab
 * @returns {{refresh: () => Promise<void>, restart: () => void}} ``refresh`` calls back now, unless
 *      the component is gone;
 *      ``restart`` is for when the answer of ``seconds`` has changed
 */
export function useRefresh(callback, seconds) {
    const pause = typeof seconds === "function" ? seconds : () => seconds;
    let timer, mounted, running, again;
    let ended = Date.now();

    function restart() {
        browser.clearTimeout(timer);
        const wanted = pause();
        if (mounted && !running && wanted && document.visibilityState !== "hidden") {
            timer = browser.setTimeout(refresh, Math.max(0, ended + wanted * 1000 - Date.now()));
        }
    }

    async function refresh() {
        if (mounted === false) {
            return;
        }
        if (running) {
            // What is on its way may have been asked for before something was changed.
            again = true;
            return running;
        }
        browser.clearTimeout(timer);
        running = (async () => callback())();
        try {
            await running;
        } finally {
            running = null;
            ended = Date.now();
            const asked = again && mounted;
            again = false;
            asked ? refresh() : restart();
        }
    }

    onMounted(() => {
        mounted = true;
        document.addEventListener("visibilitychange", restart);
        restart();
    });
    onWillUnmount(() => {
        mounted = false;
        document.removeEventListener("visibilitychange", restart);
        browser.clearTimeout(timer);
    });
    return { refresh, restart };
}

/**
 * How often the user wants a screen to be refreshed.
 *
 * @param {(mode: string) => void} onChange
 * @returns {{mode: string, set: (mode: string) => void}}
 */
export function useRefreshMode(onChange) {
    const stored = browser.localStorage.getItem(STORED_AS);
    const known = MODES.some((mode) => mode.key === stored);
    return useState({
        mode: known ? stored : LIVE,
        set(mode) {
            this.mode = mode;
            browser.localStorage.setItem(STORED_AS, mode);
            onChange(mode);
        },
    });
}

export class RefreshControl extends Component {
    static template = "queue_job.RefreshControl";
    static props = {
        mode: String,
        onChange: Function,
        /** The screen is told what is new, instead of asking. */
        live: { type: Boolean, optional: true },
    };

    setup() {
        this.modes = MODES;
    }

    hint(mode) {
        if (mode === LIVE) {
            return this.props.live ? _t("Told by the queue") : _t("Asks every few seconds");
        }
        return mode === PAUSED ? _t("Nothing changes until you want it") : "";
    }
}
