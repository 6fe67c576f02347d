import { beforeEach, expect, test } from "@odoo/hoot";
import { click, queryAllTexts } from "@odoo/hoot-dom";
import { Deferred, animationFrame } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    allowTranslations,
    contains,
    defineModels,
    fields,
    makeServerError,
    mockService,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";

class Order extends models.Model {
    _name = "order";
    name = fields.Char();
    _records = [
        { id: 1, name: "one" },
        { id: 2, name: "two" },
    ];
}

defineMailModels();
defineModels([Order]);
beforeEach(allowTranslations);

const ARCH = `<form><sheet>
        <div name="button_box" class="oe_button_box"><widget name="queue_job_button"/></div>
        <field name="name"/>
    </sheet></form>`;

const NONE = { count: 0, failed: 0, running: 0, limit: 1000 };

function answer(found) {
    onRpc("queue.job.button", "count_jobs", ({ args }) => {
        expect.step(`count ${args.join(" ")}`);
        return { ...NONE, ...found };
    });
}

function show(resId, resIds) {
    return mountView({ type: "form", resModel: "order", resId, resIds, arch: ARCH });
}

/** The button is in a menu where the screen is narrow. */
async function unfold() {
    if (document.querySelector(".o_button_more")) {
        await contains(".o_button_more").click();
    }
    await animationFrame();
}

test("it counts and opens the jobs of the record", async () => {
    answer({ count: 3 });
    onRpc("queue.job.button", "open_jobs", ({ args }) => {
        expect.step(`open ${args.join(" ")}`);
        return { type: "ir.actions.act_window_close" };
    });
    mockService("action", {
        doAction(action) {
            expect.step(action.type);
        },
    });
    await show(1);
    await unfold();
    expect(".o_queue_job_button .o_stat_value").toHaveText("3");
    expect(".o_queue_job_button .o_stat_text").toHaveText("Jobs");
    await click(".o_queue_job_button");
    await animationFrame();
    await animationFrame();
    expect.verifySteps(["count order 1", "open order 1", "ir.actions.act_window_close"]);
});

test("none, many, and those that failed", async () => {
    for (const [found, texts] of [
        [{}, ["0", "Jobs"]],
        [{ count: 1000 }, ["1000+", "Jobs"]],
        [{ count: 2, running: 1 }, ["2", "Jobs, 1 running"]],
        [{ count: 2, running: 1, failed: 1 }, ["2", "Jobs, 1 failed"]],
    ]) {
        answer(found);
        const view = await show(1);
        await unfold();
        expect(queryAllTexts(".o_queue_job_button .o_stat_info > span")).toEqual(texts);
        view.__owl__.destroy();
    }
    expect.verifySteps(Array(4).fill("count order 1"));
});

test("a record that is not saved has no jobs", async () => {
    answer({});
    await show();
    expect(".o_queue_job_button").toHaveCount(0);
    expect.verifySteps([]);
});

test.tags("desktop");
test("the form does not wait, and a late answer of the record before is not shown", async () => {
    const answers = { 1: new Deferred(), 2: new Deferred() };
    onRpc("queue.job.button", "count_jobs", ({ args }) => answers[args[1]]);
    await show(1, [1, 2]);
    expect(".o_queue_job_button .o_stat_value").toHaveText("…");
    await contains(".o_pager_next").click();
    answers[2].resolve({ ...NONE, count: 2 });
    await animationFrame();
    expect(".o_queue_job_button .o_stat_value").toHaveText("2");
    answers[1].resolve({ ...NONE, count: 1 });
    await animationFrame();
    expect(".o_queue_job_button .o_stat_value").toHaveText("2");
});

test("a server that does not answer spoils no form", async () => {
    onRpc("queue.job.button", "count_jobs", () => {
        throw makeServerError();
    });
    await show(1);
    await unfold();
    expect(".o_queue_job_button .o_stat_value").toHaveText("…");
    expect(".o_field_widget[name=name]").toHaveCount(1);
    expect(".o_error_dialog").toHaveCount(0);
});
