import { registry } from "@web/core/registry";

const OPEN = [
    {
        content: "the list shows one line for the jobs that failed alike; open it",
        trigger: ".o_list_view .o_data_row .o_data_cell:contains(Refused in order.send)",
        run: "click",
    },
    {
        content: "the form says what was said",
        trigger: ".o_form_view .alert-danger:contains(no 7)",
    },
    {
        content: "and how often it happened, as a line",
        trigger: ".o_form_view svg.o_queue_job_sparkline rect",
    },
];

registry.category("web_tour.tours").add("queue_job_failure", {
    steps: () => [
        ...OPEN,
        {
            content: "an operator reads no traceback",
            trigger: ".o_form_view:not(:has([name=traceback]))",
        },
        {
            content: "what is done less often is in a menu",
            trigger: ".o_form_view:not(:has(button[name=action_probe])) .o_queue_job_more",
            run: "click",
        },
        {
            content: "run one of them as a probe",
            trigger: ".o-dropdown--menu button[name=action_probe]",
            run: "click",
        },
        {
            content: "the form says so",
            trigger: ".o_form_view .alert-info:contains(probe)",
        },
        {
            content: "run all others",
            trigger: ".o_form_view button[name=action_retry_all]",
            run: "click",
        },
        {
            content: "say that it is meant",
            trigger: ".modal .modal-footer .btn-primary",
            run: "click",
        },
        {
            content: "none is failed now, and what was done is kept",
            trigger: ".o_form_view:not(:has(button[name=action_retry_all])) .o-mail-Message:contains(Failed jobs requeued: 2)",
        },
        {
            content: "it is solved",
            trigger: ".o_form_view button[name=action_solve]",
            run: "click",
        },
        {
            content: "the state says so",
            trigger: ".o_statusbar_status .o_arrow_button_current:contains(Solved)",
        },
    ],
});

registry.category("web_tour.tours").add("queue_job_failure_manager", {
    steps: () => [
        ...OPEN,
        {
            content: "a manager reads the traceback",
            trigger: ".o_form_view .o_notebook .nav-link[name=traceback]",
            run: "click",
        },
        {
            content: "there it is",
            trigger: ".o_form_view .o_notebook .o_queue_job_traceback:contains(Traceback)",
        },
    ],
});
