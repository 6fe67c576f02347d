/** What is known of the messages of the queue: whether one may rely on them. */
export class Feed {
    seq = 0;
    heard = -Infinity;

    /**
     * @param {number} silence seconds without a message after which none is relied on
     */
    constructor(silence) {
        this.silence = silence;
    }

    /**
     * Take note of a message.
     *
     * @param {number} seq its number
     * @param {number} now in milliseconds
     * @returns {"apply" | "gap" | "old"}
     */
    receive(seq, now) {
        if (seq <= this.seq) {
            return "old";
        }
        const gap = this.seq && seq !== this.seq + 1;
        this.seq = seq;
        this.heard = gap ? -Infinity : now;
        return gap ? "gap" : "apply";
    }

    /** Take note of the number of the last message, which everything that was read includes. */
    sync(seq) {
        // Numbers begin anew after very many, and in a database that was restored.
        this.seq = seq + 1000 < this.seq ? seq : Math.max(seq, this.seq);
    }

    /** Rely on no message until there is another. */
    lose() {
        this.heard = -Infinity;
    }

    isLive(now) {
        return now - this.heard < this.silence * 1000;
    }
}
