/** Pixels around a graph that fills its place. */
const MARGIN = 24;

export const SCALES = { least: 0.05, most: 2.5, readable: 0.45 };

/**
 * Where a drawing is shown: `x` and `y` are the place of its corner, `k` is its scale.
 *
 * @typedef {{ x: number, y: number, k: number }} View
 */

/** The view that shows a drawing as a whole, no larger than it is. */
export function fitted(drawing, size) {
    const across = (size.width - 2 * MARGIN) / Math.max(1, drawing.width);
    const down = (size.height - 2 * MARGIN) / Math.max(1, drawing.height);
    const k = clamped(Math.min(1, across, down));
    return {
        k,
        x: (size.width - k * drawing.width) / 2,
        y: Math.max(MARGIN, (size.height - k * drawing.height) / 2),
    };
}

/** The view that shows a box in the middle, large enough to be read. */
function centred(drawing, box, size) {
    const k = 0.85;
    return {
        k,
        x: size.width / 2 - k * (box.x + drawing.box.width / 2),
        y: size.height / 2 - k * (box.y + drawing.box.height / 2),
    };
}

/** The view to begin with: everything, or what is around a box when that would be too small. */
export function opening(drawing, box, size) {
    const whole = fitted(drawing, size);
    return whole.k < SCALES.readable && box ? centred(drawing, box, size) : whole;
}

/** The view after a change of scale that leaves a point where it is. */
export function zoomed(view, factor, point) {
    const k = clamped(view.k * factor);
    const share = k / view.k;
    return { k, x: point.x - share * (point.x - view.x), y: point.y - share * (point.y - view.y) };
}

/** The view moved by no more than it takes to show a box. */
export function revealing(view, drawing, box, size) {
    return {
        k: view.k,
        x: view.x + missing(view.x + view.k * box.x, view.k * drawing.box.width, size.width),
        y: view.y + missing(view.y + view.k * box.y, view.k * drawing.box.height, size.height),
    };
}

function missing(start, length, room) {
    if (start < MARGIN) {
        return MARGIN - start;
    }
    return Math.min(0, room - MARGIN - start - length);
}

function clamped(k) {
    return Math.min(SCALES.most, Math.max(SCALES.least, k));
}

/** A line as a path of SVG, which leaves a box and reaches the next straight down. */
export function path(points) {
    const [first, ...rest] = points;
    let [x, y] = first;
    let text = `M${x} ${y}`;
    for (const [nextX, nextY] of rest) {
        const middle = (y + nextY) / 2;
        text += x === nextX ? `V${nextY}` : `C${x} ${middle} ${nextX} ${middle} ${nextX} ${nextY}`;
        [x, y] = [nextX, nextY];
    }
    return text;
}

const DIRECTIONS = {
    ArrowUp: { linked: (line, place) => line.target === place && line.source, axis: "y", sign: -1 },
    ArrowDown: { linked: (line, place) => line.source === place && line.target, axis: "y", sign: 1 },
    ArrowLeft: { axis: "x", sign: -1 },
    ArrowRight: { axis: "x", sign: 1 },
};

/**
 * The box that an arrow key leads to: up to a parent, down to a child, or to a neighbour; otherwise
 * the nearest that way.
 *
 * @returns {number} its place in the list; the same when there is none
 */
export function neighbour(drawing, place, key) {
    const { linked, axis, sign } = DIRECTIONS[key];
    const from = drawing.boxes[place];
    const other = axis === "x" ? "y" : "x";
    let candidates = linked ? drawing.lines.map((line) => linked(line, place)) : [];
    candidates = candidates.filter((found) => found !== false);
    if (!candidates.length) {
        candidates = [...drawing.boxes.keys()].filter(
            (found) => sign * (drawing.boxes[found][axis] - from[axis]) > 0
        );
    }
    const distance = (found) =>
        Math.abs(drawing.boxes[found][axis] - from[axis]) +
        4 * Math.abs(drawing.boxes[found][other] - from[other]);
    return candidates.reduce(
        (best, found) => (best === place || distance(found) < distance(best) ? found : best),
        place
    );
}
