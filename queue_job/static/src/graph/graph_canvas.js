import { _t } from "@web/core/l10n/translation";
import { Component, onMounted, onWillUnmount, useEffect, useRef } from "@odoo/owl";
import { fitted, neighbour, opening, path, revealing, zoomed } from "./graph_geometry";
import { colour } from "@queue_job/states";
import { boxText, describe, title } from "./graph_states";

/** Pixels that a pointer moves before it drags instead of clicking. */
const CLICK_PIXELS = 4;

const ZOOM_STEP = 1.25;

/**
 * The drawing of a graph, which is moved and enlarged without drawing it anew.
 *
 * Boxes are buttons: one of them can be reached by the tabulator, the others by the arrow keys.
 */
export class QueueJobGraphCanvas extends Component {
    static template = "queue_job.GraphCanvas";
    static props = {
        drawing: Object,
        summaries: Array,
        cursor: Number,
        selected: Number,
        isFull: { type: Boolean, optional: true },
        handle: Object,
        onMove: Function,
        onSelect: Function,
        onOpen: Function,
    };

    setup() {
        this.frame = useRef("frame");
        this.stage = useRef("stage");
        this.pointers = new Map();
        this.isMoved = false;
        this.title = title;
        this.observer = new ResizeObserver(() => this.resize());
        // What the buttons around the drawing call.
        Object.assign(this.props.handle, {
            focus: (place) => this.focus(place),
            fit: () => this.fit(),
            zoomIn: () => this.zoomIn(),
            zoomOut: () => this.zoomOut(),
        });
        onMounted(() => this.observer.observe(this.frame.el));
        onWillUnmount(() => this.observer.disconnect());
        useEffect(
            () => {
                this.isMoved = false;
                this.begin();
            },
            () => [this.props.drawing]
        );
    }

    get size() {
        const { width, height } = this.frame.el.getBoundingClientRect();
        return { width, height };
    }

    get lines() {
        const { cursor, drawing } = this.props;
        const isNear = (line) => line.source === cursor || line.target === cursor;
        const lines = drawing.lines.map((line, key) => ({
            key,
            path: path(line.points),
            end: line.points.at(-1),
            isNear: isNear(line),
        }));
        // What is drawn last lies above the rest.
        return lines.sort((one, other) => one.isNear - other.isNear);
    }

    get label() {
        return _t("Graph of %s jobs: the arrow keys lead from one to the next", this.props.drawing.count);
    }

    // What a box shows

    textOf(place) {
        return boxText(this.props.summaries[place]);
    }

    describe(box, place) {
        return `${title(box)}: ${describe(this.props.summaries[place])}`;
    }

    colourOf(place) {
        const [first] = this.props.summaries[place];
        return first ? colour(first.state) : "secondary";
    }

    isCurrent(box) {
        return box.ids.includes(this.props.drawing.job);
    }

    /** The shares of the states in a box of several jobs, as pieces of its lower edge. */
    piecesOf(box, place) {
        const whole = this.props.drawing.box.width;
        let x = 0;
        return this.props.summaries[place].map(({ state, count }) => {
            const width = (whole * count) / box.ids.length;
            x += width;
            return { state, colour: colour(state), x: x - width, width };
        });
    }

    // Moving and enlarging

    begin() {
        const { boxes } = this.props.drawing;
        this.show(opening(this.props.drawing, boxes[this.props.cursor], this.size));
    }

    resize() {
        if (this.isMoved) {
            this.reveal(this.props.cursor);
        } else {
            this.begin();
        }
    }

    fit() {
        this.isMoved = false;
        this.show(fitted(this.props.drawing, this.size));
    }

    zoomIn() {
        this.zoom(ZOOM_STEP);
    }

    zoomOut() {
        this.zoom(1 / ZOOM_STEP);
    }

    zoom(factor, point) {
        const { width, height } = this.size;
        this.isMoved = true;
        this.show(zoomed(this.view, factor, point || { x: width / 2, y: height / 2 }));
    }

    show(view) {
        this.view = view;
        const { x, y, k } = view;
        this.stage.el.setAttribute("transform", `translate(${x} ${y}) scale(${k})`);
    }

    pointOf(event) {
        const { left, top } = this.frame.el.getBoundingClientRect();
        return { x: event.clientX - left, y: event.clientY - top };
    }

    onWheel(event) {
        // In a page that scrolls, the wheel scrolls.
        if (this.props.isFull || event.ctrlKey || event.metaKey) {
            event.preventDefault();
            this.zoom(Math.exp(-event.deltaY / 400), this.pointOf(event));
        }
    }

    onPointerDown(event) {
        this.pointers.set(event.pointerId, this.pointOf(event));
        this.isDragged = false;
    }

    onPointerMove(event) {
        const before = this.pointers.get(event.pointerId);
        if (!before) {
            return;
        }
        const now = this.pointOf(event);
        if (!this.isDragged && Math.hypot(now.x - before.x, now.y - before.y) < CLICK_PIXELS) {
            return;
        }
        // From here on nothing is clicked.
        this.frame.el.setPointerCapture?.(event.pointerId);
        this.isDragged = this.isMoved = true;
        this.pointers.set(event.pointerId, now);
        this.drag(event.pointerId, before, now);
    }

    drag(pointer, before, now) {
        const other = [...this.pointers].find(([id]) => id !== pointer)?.[1];
        const { x, y, k } = this.view;
        if (other) {
            const distance = (point) => Math.hypot(point.x - other.x, point.y - other.y) || 1;
            this.zoom(distance(now) / distance(before), other);
        } else {
            this.show({ k, x: x + now.x - before.x, y: y + now.y - before.y });
        }
    }

    onPointerUp(event) {
        this.pointers.delete(event.pointerId);
    }

    // Going from box to box

    onClick(place) {
        if (!this.isDragged) {
            this.props.onSelect(place);
        }
    }

    onKeydown(event) {
        const { cursor, drawing, onMove, onOpen, onSelect } = this.props;
        const focused = event.target.closest("[data-place]");
        const place = focused ? Number(focused.dataset.place) : cursor;
        const actions = {
            Enter: () => onOpen(place),
            " ": () => onSelect(place),
            "+": () => this.zoomIn(),
            "-": () => this.zoomOut(),
            0: () => this.fit(),
            Home: () => onMove(drawing.boxes.findIndex((box) => this.isCurrent(box))),
            Escape: () => onSelect(-1),
        };
        const isArrow = event.key.startsWith("Arrow");
        const isOurs = isArrow || (event.key in actions && !event.ctrlKey && !event.metaKey);
        if (!isOurs || (event.key === "Escape" && this.props.selected < 0)) {
            return;
        }
        event.preventDefault();
        event.stopPropagation();
        if (isArrow) {
            onMove(neighbour(drawing, place, event.key));
        } else {
            actions[event.key]();
        }
    }

    /** Put the focus on a box, and the box where it can be seen. */
    focus(place) {
        this.reveal(place);
        this.frame.el.querySelector(`[data-place="${place}"]`)?.focus({ preventScroll: true });
    }

    reveal(place) {
        const { boxes } = this.props.drawing;
        const view = revealing(this.view, this.props.drawing, boxes[place], this.size);
        this.isMoved ||= view.x !== this.view.x || view.y !== this.view.y;
        this.show(view);
    }
}
