import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { beforeEach, expect, test } from "@odoo/hoot";
import { advanceTime, click, Deferred } from "@odoo/hoot-dom";
import { animationFrame } from "@odoo/hoot-mock";
import { Component, useState, xml } from "@odoo/owl";
import { LIVE, PAUSED, RefreshControl, useRefresh, useRefreshMode } from "@queue_job/refresh/refresh";
import { mountWithCleanup } from "@web/../tests/web_test_helpers";
import { browser } from "@web/core/browser/browser";
import { setTab } from "./tab";

defineMailModels();

/** So slow that the time which the test itself takes does not count. */
const SECONDS = { [LIVE]: 1000, 5: 500, 30: 3000, [PAUSED]: 0 };

/** A part that is refreshed, and lets the test ask for it. */
class Part extends Component {
    static template = xml`<span class="part"/>`;
    static props = ["mode", "ask", "handle"];
    setup() {
        Object.assign(
            this.props.handle,
            useRefresh(
                () => this.props.ask(),
                () => SECONDS[this.props.mode.mode]
            )
        );
    }
}

class Screen extends Component {
    static template = xml`
        <RefreshControl mode="mode.mode" onChange="(mode) => this.mode.set(mode)" live="true"/>
        <Part t-if="state.shown" mode="mode" ask="props.ask" handle="props.handle"/>`;
    static components = { RefreshControl, Part };
    static props = ["ask", "handle"];
    setup() {
        this.state = useState({ shown: true });
        this.mode = useRefreshMode(() => this.props.handle.restart());
    }
}

async function mountScreen(ask = () => expect.step("asked")) {
    const handle = {};
    const screen = await mountWithCleanup(Screen, { props: { ask, handle } });
    return { screen, handle };
}

async function choose(mode) {
    await click(`input[value="${mode}"] + label`);
    await animationFrame();
}

beforeEach(() => browser.localStorage.removeItem("queue_job.refresh"));

test("it asks at the pace that is chosen", async () => {
    await mountScreen();
    await advanceTime(600_000);
    expect.verifySteps([]);
    await advanceTime(500_000);
    expect.verifySteps(["asked"]);
    await choose("30");
    await advanceTime(2_500_000);
    expect.verifySteps([]);
    await advanceTime(600_000);
    expect.verifySteps(["asked"]);
});

test("the choice is remembered by the browser", async () => {
    const { screen } = await mountScreen();
    expect(`input[value=${LIVE}]`).toBeChecked();
    await choose("5");
    expect(browser.localStorage.getItem("queue_job.refresh")).toBe("5");
    expect(screen.mode.mode).toBe("5");
    browser.localStorage.setItem("queue_job.refresh", "nonsense");
    const other = await mountScreen();
    expect(other.screen.mode.mode).toBe(LIVE);
});

test("paused is paused: on focus, on coming back, and for as long as it is", async () => {
    await mountScreen();
    await choose(PAUSED);
    for (const moment of ["hidden", "visible"]) {
        setTab(moment);
        window.dispatchEvent(new Event("focus"));
        await advanceTime(360_000_000);
    }
    expect.verifySteps([]);
    await choose("5");
    await advanceTime(100_000);
    expect.verifySteps(["asked"], { message: "it was due long ago" });
});

test("a hidden tab asks nothing, and at once when it is seen again", async () => {
    await mountScreen();
    setTab("hidden");
    await advanceTime(60_000_000);
    expect.verifySteps([]);
    setTab("visible");
    await advanceTime(10);
    expect.verifySteps(["asked"]);
});

test("a part that is gone asks nothing, whoever still wants it to", async () => {
    const { screen, handle } = await mountScreen();
    await handle.refresh();
    expect.verifySteps(["asked"]);
    screen.state.shown = false;
    await animationFrame();
    await handle.refresh();
    expect.verifySteps([]);
});

test("a tab that was hidden for a moment keeps its pace", async () => {
    await mountScreen();
    await advanceTime(300_000);
    setTab("hidden");
    setTab("visible");
    await advanceTime(300_000);
    expect.verifySteps([]);
    await advanceTime(500_000);
    expect.verifySteps(["asked"]);
});

test("a slow server is not asked again before it has answered", async () => {
    const answers = [];
    await mountScreen(() => {
        expect.step("asked");
        answers.push(new Deferred());
        return answers.at(-1);
    });
    await advanceTime(6_000_000);
    expect.verifySteps(["asked"]);
    answers[0].resolve();
    await animationFrame();
    await advanceTime(600_000);
    expect.verifySteps([]);
    await advanceTime(500_000);
    expect.verifySteps(["asked"]);
});

test("who asks while an answer is on its way gets one that is newer", async () => {
    const answers = [];
    const { handle } = await mountScreen(() => {
        expect.step("asked");
        answers.push(new Deferred());
        return answers.at(-1);
    });
    handle.refresh();
    handle.refresh();
    handle.refresh();
    expect.verifySteps(["asked"]);
    answers[0].resolve();
    await animationFrame();
    expect.verifySteps(["asked"]);
    answers[1].resolve();
    await animationFrame();
    expect.verifySteps([]);
});

test("it goes on after an error", async () => {
    const { handle } = await mountScreen(() => {
        expect.step("asked");
        return Promise.reject(new Error("gone"));
    });
    await expect(handle.refresh()).rejects.toThrow("gone");
    expect.verifySteps(["asked"]);
    expect.errors(1);
    await advanceTime(1_010_000);
    expect.verifySteps(["asked"]);
    expect.verifyErrors(["gone"]);
});

test("what is gone asks nothing", async () => {
    const { screen } = await mountScreen();
    screen.state.shown = false;
    await animationFrame();
    setTab("hidden");
    setTab("visible");
    await advanceTime(6_000_000);
    expect.verifySteps([]);
});
