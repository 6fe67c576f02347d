import { session } from "@web/session";

/** The user's role in the queue, as the page was loaded: no server is asked for it. */
export function isOperator() {
    return ["operator", "manager"].includes(session.queue_job_role);
}

export function isManager() {
    return session.queue_job_role === "manager";
}
