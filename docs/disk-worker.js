// Browsers give a page that is read from the disk no worker, and the search of the theme needs one.
// Here a hidden frame of the page runs the script of the worker instead.
class FrameWorker extends EventTarget {
  constructor(url) {
    super();
    this.frame = document.createElement("iframe");
    this.frame.hidden = true;
    document.body.append(this.frame);
    const inside = this.inside = this.frame.contentWindow;
    inside.document.open();
    inside.document.write("<!DOCTYPE html><title>search</title><body></body>");
    inside.document.close();
    const load = (source) => new Promise((done, failed) => {
      const script = inside.document.createElement("script");
      Object.assign(script, { src: source, onload: done, onerror: failed });
      inside.document.body.append(script);
    });
    inside.importScripts = (...sources) =>
      sources.reduce((before, source) => before.then(() => load(source)), Promise.resolve());
    inside.postMessage = (data) => {
      const event = new MessageEvent("message", { data });
      this.dispatchEvent(event);
      this.onmessage?.(event);
    };
    this.loaded = load(url);
  }

  postMessage(data) {
    this.loaded.then(() => this.inside.dispatchEvent(new this.inside.MessageEvent("message", { data })));
  }

  terminate() {
    this.frame.remove();
  }
}

window.IFrameWorker = FrameWorker; // the theme looks for this name
if (location.protocol === "file:") window.Worker = FrameWorker;
