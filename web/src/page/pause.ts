/** The share of a full battery below which a device pauses itself. */
const LOW = 0.2;

/** Whether the device is paused: by its person, or because its battery is low. */
export class Pause {
  byPerson = false;
  byBattery = false;
  private isLow = false;

  get isOn(): boolean {
    return this.byPerson || this.byBattery;
  }

  /** The person pauses or resumes; a person who resumes may use up the battery. */
  toggle(): void {
    this.byPerson = !this.isOn;
    this.byBattery = false;
  }

  /** The battery has a new `level`, from 0 to 1, or begins or ends to charge. */
  setBattery(level: number, charging: boolean): void {
    const low = level < LOW && !charging;
    if (low !== this.isLow) this.byBattery = this.isLow = low;
  }
}
