import { beforeEach, expect, test } from "@odoo/hoot";
import { click, queryAllTexts, queryFirst, waitFor } from "@odoo/hoot-dom";
import { advanceTime, animationFrame } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { noticeService } from "@queue_job/notice/notice";
import { Component, xml } from "@odoo/owl";
import {
    allowTranslations,
    getService,
    mockService,
    mountWithCleanup,
} from "@web/../tests/web_test_helpers";

defineMailModels();
beforeEach(allowTranslations);

class Page extends Component {
    static template = xml`<div/>`;
    static props = ["*"];
}

const ENDED = {
    name: "Export of orders",
    failed: false,
    seconds: 754,
    job: 7,
    record: { model: "res.partner", id: 3 },
};

/** Return what the service was told to call for a message. */
async function start() {
    mockService("action", {
        doAction(action) {
            expect.step(`${action.res_model} ${action.res_id}`);
        },
    });
    await mountWithCleanup(Page);
    let tell;
    const bus = {
        subscribe(type, callback) {
            expect(type).toBe("queue_job.ended");
            tell = callback;
        },
        start() {},
    };
    const env = { services: { action: getService("action") } };
    noticeService.start(env, { bus_service: bus, notification: getService("notification") });
    return tell;
}

test("the end of a long job is told, with links", async () => {
    const tell = await start();
    tell(ENDED);
    await waitFor(".o_notification");
    expect(".o_notification_content").toHaveText("Export of orders is done; it took 12 min 34 s.");
    expect(".o_notification_bar").toHaveClass("bg-success");
    expect(queryAllTexts(".o_notification_buttons button")).toEqual(["Open Record", "Open Job"]);
    await click(".o_notification_buttons button:last");
    await animationFrame();
    expect.verifySteps(["queue.job 7"]);
    expect(".o_notification").toHaveCount(0);
});

test("a failure stays until it was seen", async () => {
    const tell = await start();
    tell({ ...ENDED, failed: true });
    await waitFor(".o_notification");
    expect(".o_notification_content").toHaveText("Export of orders has failed after 12 min 34 s.");
    expect(".o_notification_bar").toHaveClass("bg-danger");
    await advanceTime(600_000);
    expect(".o_notification").toHaveCount(1);
});

test("of many jobs the last is told, and how many were before it", async () => {
    const tell = await start();
    for (const name of ["First", "Second", "Third"]) {
        tell({ ...ENDED, name, failed: true });
    }
    tell(ENDED);
    await waitFor(".o_notification:eq(1)");
    expect(".o_notification").toHaveCount(2, { message: "a success hides no failure" });
    expect(".o_notification_content:eq(0)").toHaveText(
        "Third has failed after 12 min 34 s. Before it: 2 more."
    );
    await click(".o_notification:eq(0) .o_notification_close");
    await animationFrame();
    tell({ ...ENDED, name: "Fourth", failed: true });
    await animationFrame();
    expect(".o_notification_content:last").toHaveText("Fourth has failed after 12 min 34 s.");
});

test("success goes by itself", async () => {
    const tell = await start();
    tell(ENDED);
    await waitFor(".o_notification");
    await advanceTime(60_000);
    expect(".o_notification").toHaveCount(0);
});

test("without rights there is nothing to open", async () => {
    const tell = await start();
    tell({ ...ENDED, job: false, record: false });
    await waitFor(".o_notification");
    expect(".o_notification_buttons button").toHaveCount(0);
});

test("a name is text, however long and whatever is in it", async () => {
    const tell = await start();
    tell({ ...ENDED, name: `<img src="x" onerror="alert()"> ${"long ".repeat(500)}` });
    await waitFor(".o_notification");
    expect(".o_notification img").toHaveCount(0);
    const notification = queryFirst(".o_notification");
    expect(notification.scrollWidth).toBeLessThan(notification.clientWidth + 1);
});
