// Hears each remote audio track by itself: 16 kHz, one channel, in pieces of a tenth of a second, with its place on the
// track's own clock. It runs before any script of the page's own, and tells by the function `usherHears`. `usherPlatform`
// is put in front of it.
(() => {
  const Native = window.RTCPeerConnection;
  if (!Native || window.__usherHears || !window.usherHears) return;
  window.__usherHears = true;
  const { people } = usherPlatform;
  // Tells this document's tracks from those of others, which are numbered from 1 too.
  const load = Math.round(performance.timeOrigin);
  const tell = (told) => window.usherHears(JSON.stringify({ load, ...told }));

  const RATE = 16000;
  const PIECE = RATE / 10;
  const MOST_TRACKS = 64;
  // A piece whose peak is below this is silence; from the 16th in a row on it is not sent.
  const SILENCE = 0.002;
  const SILENT_PIECES = 15;
  // From this peak on somebody speaks, who may be looked for.
  const LOUD = 0.02;
  // Those that are heard, and those that are heard once one of these has ended.
  const known = new Set();
  const later = [];
  const MOST_LATER = 256;
  let last = 0;

  const begin = (track) => {
    known.add(track.id);
    hear(track, ++last).catch(() => {}).finally(() => {
      known.delete(track.id);
      const next = later.findIndex(({ readyState }) => readyState === 'live');
      if (next >= 0) begin(later.splice(next, 1)[0]);
    });
  };

  class Heard extends Native {
    constructor(...parameters) {
      super(...parameters);
      this.addEventListener('track', ({ track }) => {
        if (track.kind !== 'audio' || known.has(track.id)) return;
        if (known.size < MOST_TRACKS) begin(track);
        else if (later.length < MOST_LATER) later.push(track);
      });
    }
  }
  Object.defineProperty(Heard, 'name', { value: 'RTCPeerConnection' });
  window.RTCPeerConnection = Heard;
  if (window.webkitRTCPeerConnection) window.webkitRTCPeerConnection = Heard;

  // From any rate to 16 kHz: a low-pass of windowed sinc at 7.2 kHz, read off at the new places.
  class Resampler {
    constructor(rate) {
      this.step = rate / RATE;
      const half = Math.max(8, Math.ceil(8 * this.step));
      const cut = Math.min(0.45, 7200 / rate);
      this.taps = Float32Array.from({ length: 2 * half }, (_, index) => {
        const x = index - half + 0.5;
        const window = 0.54 - 0.46 * Math.cos((2 * Math.PI * (index + 0.5)) / (2 * half));
        return (Math.sin(2 * Math.PI * cut * x) / (Math.PI * x)) * window;
      });
      const sum = this.taps.reduce((all, tap) => all + tap, 0);
      this.taps = this.taps.map((tap) => tap / sum);
      this.kept = new Float32Array(this.taps.length);
      this.place = 0;
    }

    // Calls `put` with each new sample.
    take(input, put) {
      const { taps, step } = this;
      const all = new Float32Array(this.kept.length + input.length);
      all.set(this.kept);
      all.set(input, this.kept.length);
      let place = this.place;
      for (; Math.floor(place) + taps.length <= all.length; place += step) {
        const first = Math.floor(place);
        let value = 0;
        for (let index = 0; index < taps.length; index++) value += all[first + index] * taps[index];
        put(value);
      }
      const used = Math.min(Math.floor(place), all.length);
      this.kept = all.slice(used);
      this.place = place - used;
    }
  }

  async function hear(track, number) {
    // Nothing decodes a track that nothing plays. It needs no place in the page.
    const sink = new Audio();
    sink.muted = true;
    sink.srcObject = new MediaStream([track]);
    sink.play().catch(() => {});
    const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
    const piece = new Int16Array(PIECE);
    // In samples of 16 kHz since the first frame: where the piece begins, and how full it is.
    let begin = 0;
    let count = 0;
    let peak = 0;
    let silent = 0;
    let first = null;
    // When the first frame was heard, in seconds since 1970: the frame that came with the least delay says best.
    let start = Infinity;
    let resampler = null;
    let rate = 0;

    const send = () => {
      silent = peak < SILENCE ? silent + 1 : 0;
      const place = { track: number, begin, start };
      if (silent > SILENT_PIECES) {
        if (silent % 10 === 0) tell({ ...place, kind: 'silence' });
      } else {
        const bytes = new Uint8Array(piece.buffer, 0, 2 * count);
        let text = '';
        for (let index = 0; index < bytes.length; index += 400) {
          text += String.fromCharCode.apply(null, bytes.subarray(index, index + 400));
        }
        tell({ ...place, kind: 'sound', samples: btoa(text) });
        if (peak > LOUD) look(track, number);
      }
      begin += count;
      count = 0;
      peak = 0;
    };

    tell({ kind: 'track', track: number });
    for (;;) {
      const { value: frame, done } = await reader.read();
      if (done) break;
      const length = frame.numberOfFrames;
      const mono = new Float32Array(length);
      const channel = new Float32Array(length);
      for (let index = 0; index < frame.numberOfChannels; index++) {
        frame.copyTo(channel, { planeIndex: index, format: 'f32-planar' });
        for (let at = 0; at < length; at++) mono[at] += channel[at] / frame.numberOfChannels;
      }
      if (first === null) first = frame.timestamp;
      const elapsed = (frame.timestamp - first) / 1e6;
      const now = (performance.timeOrigin + performance.now()) / 1000;
      start = Math.min(start, now - elapsed - length / frame.sampleRate);
      if (frame.sampleRate !== rate) {
        rate = frame.sampleRate;
        resampler = new Resampler(rate);
      }
      frame.close();
      // Frames that are not there leave a gap on the clock, and no trace in what follows.
      const here = Math.round(elapsed * RATE);
      if (here - begin - count > RATE / 20) {
        if (count > 0) send();
        begin = here;
      }
      resampler.take(mono, (value) => {
        peak = Math.max(peak, Math.abs(value));
        piece[count++] = Math.max(-1, Math.min(1, value)) * 32767;
        if (count === PIECE) send();
      });
    }
    tell({ kind: 'end', track: number });
  }

  // Whose track is it? The tile that plays it says so; else those that are marked as speaking while it is loud may.
  function look(track, number) {
    if (!people) return;
    const plays = ({ srcObject }) => srcObject?.getTracks?.().some(({ id }) => id === track.id);
    const player = [...document.querySelectorAll('audio, video')].find(plays);
    const tile = player?.closest(people.tile);
    const marked = people.speaking ? [...document.querySelectorAll(people.speaking)] : [];
    for (const [found, weight] of tile ? [[tile, 10]] : marked.map((each) => [each, 1])) {
      const name = window.__usher?.tileName(found);
      if (name) tell({ kind: 'name', track: number, name, weight });
    }
  }
})();
