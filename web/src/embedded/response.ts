/** `Response`, as far as the scripts of a core need it. */

export class Response {
  constructor(private readonly blob: Blob) {}

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.blob.arrayBuffer();
  }
}
