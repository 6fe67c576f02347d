import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

const TIMELINE = [
    {
        content: "each attempt is a row of the timeline",
        trigger: ".o_queue_job_timeline li:contains(Attempt 1):contains(Postponed)",
    },
    {
        content: "the last one says how long it ran",
        trigger: ".o_queue_job_timeline li:contains(Attempt 2):contains(ran 4 s)",
    },
];

function openPage(name) {
    return {
        content: `open the page ${name}`,
        trigger: `.o_notebook .nav-link[name=${name}]`,
        run: "click",
    };
}

tours.add("queue_job_form_viewer", {
    steps: () => [
        ...TIMELINE,
        {
            content: "no button changes the job, and there is no traceback",
            trigger:
                ".o_form_view:not(:has(button[name=button_cancelled])):not(:has(.o_notebook .nav-link[name=error]))",
        },
        openPage("call"),
        {
            content: "of the call the names are shown",
            trigger: ".o_queue_job_payload:contains(pincode=•••):contains(shown to operators)",
        },
        openPage("attempts"),
        {
            content: "an attempt tells why it failed",
            trigger: ".o_queue_job_attempt:contains(the reason):not(:has(.o_queue_job_traceback))",
        },
    ],
});

tours.add("queue_job_form_operator", {
    steps: () => [
        ...TIMELINE,
        {
            content: "there is no button to call it done, and no traceback",
            trigger:
                ".o_form_view:not(:has(button[name=button_done])):not(:has(.o_notebook .nav-link[name=error]))",
        },
        openPage("call"),
        {
            content: "the call shows what is no secret, with its records",
            trigger:
                ".o_queue_job_payload:contains(values=):contains(pincode=•••) a[title='Azure Interior']",
        },
        {
            content: "run it again",
            trigger: "button[name=requeue]",
            run: "click",
        },
        {
            content: "it waits now, and who asked for that is noted",
            trigger:
                ".o_form_view:has(.o_arrow_button_current:contains(Pending)) .o-mail-Message:contains(Requeued)",
        },
    ],
});

tours.add("queue_job_form_manager", {
    steps: () => [
        ...TIMELINE,
        {
            content: "the traceback shows the frame of the house",
            trigger: ".o_queue_job_frame_own:contains(models/a.py:7)",
        },
        {
            content: "and folds that of the framework",
            trigger: ".o_queue_job_fold[aria-expanded=false]",
            run: "click",
        },
        {
            content: "which opens",
            trigger: ".o_queue_job_frame_framework:contains(worker/executor.py:3)",
        },
        openPage("attempts"),
        {
            content: "the last attempt is shown; go to the one before it",
            trigger: ".o_queue_job_attempt:contains(Attempt 2) .o_queue_job_previous",
            run: "click",
        },
        {
            content: "it had no traceback",
            trigger: ".o_queue_job_attempt:contains(Attempt 1):contains(not yet)",
        },
        {
            content: "and back",
            trigger: ".o_queue_job_attempt .o_queue_job_next",
            run: "click",
        },
        {
            content: "the traceback of that attempt is read",
            trigger: ".o_queue_job_attempt .o_queue_job_frame_own",
        },
        {
            content: "run it again",
            trigger: "button[name=requeue]",
            run: "click",
        },
        {
            content: "it waits: its priority can be changed",
            trigger: ".o_form_view:has(.o_arrow_button_current:contains(Pending)) [name=priority] input",
            run: "edit 3",
        },
        {
            content: "save",
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "it is saved",
            trigger: ".o_form_saved",
        },
    ],
});
