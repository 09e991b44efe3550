// The proof of work that a new visitor of a flooded site brings: a nonce such that SHA-256 (FIPS 180-4)
// of the token, a dot and the nonce begins with zero bits. The browser's own SHA-256 is asynchronous,
// and its overhead for each nonce is far larger than the hash.

const CHUNK = 20_000;

/** The nonce for a challenge. The page stays usable meanwhile. */
export async function solve({ token, bits }) {
  const begun = new Begun(`${token}.`);
  for (let nonce = 0; ; nonce += 1) {
    if (begun.zeros(String(nonce)) >= bits) return String(nonce);
    if (nonce % CHUNK === CHUNK - 1) await pause();
  }
}

/** A text of which the whole blocks are hashed once, for all nonces. */
class Begun {
  #begun = Int32Array.from(STATE);
  #rest;
  #length;
  // Used again for each nonce.
  #state = new Int32Array(8);
  #padded = new Uint8Array(128);

  constructor(text) {
    const bytes = new TextEncoder().encode(text);
    const whole = bytes.length - (bytes.length % 64);
    for (let at = 0; at < whole; at += 64) compress(this.#begun, bytes, at);
    this.#rest = bytes.subarray(whole);
    this.#length = bytes.length;
  }

  /** Zero bits at the beginning of the hash of the text and an ASCII nonce. */
  zeros(nonce) {
    const padded = this.#padded.fill(0);
    const state = this.#state;
    const used = this.#rest.length + nonce.length;
    const end = used + 9 <= 64 ? 64 : 128;
    padded.set(this.#rest);
    for (let i = 0; i < nonce.length; i += 1) padded[this.#rest.length + i] = nonce.charCodeAt(i);
    padded[used] = 0x80;
    const bits = (this.#length + nonce.length) * 8;
    for (let i = 0; i < 4; i += 1) padded[end - 1 - i] = bits >>> (8 * i);
    state.set(this.#begun);
    for (let at = 0; at < end; at += 64) compress(state, padded, at);
    const word = state.findIndex((value) => value !== 0);
    return word < 0 ? 256 : word * 32 + Math.clz32(state[word]);
  }
}

/** Fractional parts of roots of the first primes. */
function roots(count, root) {
  const words = [];
  for (let n = 2; words.length < count; n += 1) {
    let prime = true;
    for (let d = 2; d * d <= n; d += 1) prime &&= n % d !== 0;
    if (prime) words.push((root(n) % 1) * 2 ** 32);
  }
  return Int32Array.from(words, (word) => word | 0);
}

const STATE = roots(8, Math.sqrt);
const ROUNDS = roots(64, Math.cbrt);
const words = new Int32Array(64);

function compress(state, bytes, from) {
  for (let i = 0; i < 16; i += 1) {
    const at = from + 4 * i;
    words[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  }
  for (let i = 16; i < 64; i += 1) {
    const v = words[i - 15];
    const w = words[i - 2];
    const s0 = ((v >>> 7) | (v << 25)) ^ ((v >>> 18) | (v << 14)) ^ (v >>> 3);
    const s1 = ((w >>> 17) | (w << 15)) ^ ((w >>> 19) | (w << 13)) ^ (w >>> 10);
    words[i] = words[i - 16] + s0 + words[i - 7] + s1;
  }
  let a = state[0];
  let b = state[1];
  let c = state[2];
  let d = state[3];
  let e = state[4];
  let f = state[5];
  let g = state[6];
  let h = state[7];
  for (let i = 0; i < 64; i += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUNDS[i] + words[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

/** Lets the page draw and react. Timers of pages in the background would be slowed down. */
function pause() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
