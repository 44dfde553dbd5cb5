// @ts-check
/**
 * What the server and the page tell each other over the WebSocket, and the one binary message: a picture.
 *
 * @module
 */

/**
 * A loop that holds others up, or is far behind.
 *
 * @typedef {object} Slow
 * @property {number} pid
 * @property {string} runtime
 * @property {string} mode
 * @property {string} [group]
 * @property {number} lag
 * @property {boolean} [blocks] whether producers wait for it, or drop because of it
 * @property {string} [command]
 */

/**
 * A depot in the list.
 *
 * @typedef {object} Depot
 * @property {string} name
 * @property {string} [id]
 * @property {"live" | "ended" | "stale" | "broken" | "gone"} state
 * @property {string} [reason] why it is stale or broken
 * @property {readonly number[]} [frameSize] width, height and channels, 0 where that was not said
 * @property {string} [elementType]
 * @property {string} [pixelFormat]
 * @property {number} [frameBytes]
 * @property {boolean} [variableLength]
 * @property {number} [bytes] of the segment
 * @property {number} [maxSize] slots
 * @property {number} [length] frames that wait
 * @property {"drop" | "wait" | "overwrite"} [whenFull]
 * @property {boolean} [producersGone]
 * @property {number} [framesPerSecond]
 * @property {number} [bytesPerSecond]
 * @property {number} [droppedPerSecond]
 * @property {number} [stored] since it was made
 * @property {number} [dropped] since it was made
 * @property {boolean} [full] whether frames find no room
 * @property {readonly Slow[]} [slow]
 * @property {string} [picture] why there is no picture of it
 */

/**
 * What the server shows, and how.
 *
 * @typedef {object} Hello
 * @property {readonly string[] | null} names those of the command line, or null for all
 * @property {string} codec the one to prefer
 * @property {string} version
 */

/**
 * One loop of a process.
 *
 * @typedef {object} Reader
 * @property {string} mode
 * @property {string} [group]
 * @property {number} read
 * @property {number} lost
 * @property {number} lag
 * @property {boolean} [blocks] whether producers wait for it, or drop because of it
 */

/**
 * One open depot object.
 *
 * @typedef {object} Peer
 * @property {number} pid
 * @property {string} runtime
 * @property {boolean} alive
 * @property {boolean} [here]
 * @property {boolean} [serves] whether it is the server of this page
 * @property {number} joinedMs
 * @property {number} stored
 * @property {number} dropped
 * @property {string} [command]
 * @property {readonly Reader[]} readers
 */

/**
 * One depot in full.
 *
 * @typedef {object} Detail
 * @property {string} name
 * @property {string} [missing] why there is none
 * @property {readonly Peer[]} [peers]
 * @property {readonly [first: number, last: number]} [range] numbers of the frames that are stored
 * @property {number} [skipped] sequences without a frame
 * @property {number} [head] the next sequence
 * @property {readonly number[]} [lags] how far the slowest loop was behind, one for each second, the newest last
 * @property {number} [metadataBytes]
 * @property {readonly Group[]} [groups]
 */

/**
 * Readers that share frames.
 *
 * @typedef {{ name: string, members: number, held: number, lag: number, redelivered: number, lost: number }} Group
 */

/**
 * What comes before the bytes of a picture.
 *
 * @typedef {object} Header
 * @property {number} channel
 * @property {string} name
 * @property {number} number of the frame
 * @property {string} timestampNs
 * @property {number} width
 * @property {number} height
 * @property {number} fullWidth
 * @property {number} fullHeight
 * @property {"jpeg" | "h264"} codec
 * @property {string} [codecString] of H.264
 * @property {boolean} [key] whether it can be decoded without those before it
 * @property {boolean} [asked] whether it is a stored frame that was asked for, which takes no credit
 * @property {number} [ageMs] how old the frame was when it was sent, where timestamps are times of a clock
 */

/** @typedef {{ header: Header, bytes: Uint8Array<ArrayBuffer>, arrivedMs: number }} Picture */

/** Bytes of the length before the header. */
const LENGTH_BYTES = 4;

/**
 * Takes a binary message apart.
 *
 * @param {ArrayBuffer} message
 * @returns {Picture}
 */
export function parsePicture(message) {
  const length = new DataView(message).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(message, LENGTH_BYTES, length)));
  return {
    header,
    bytes: new Uint8Array(message, LENGTH_BYTES + length),
    arrivedMs: performance.now(),
  };
}
