// Numbers, lengths, times and shares, as a language writes them.

export interface Formats {
  number: (value: number, digits?: number) => string;
  percent: (share: number) => string;
  metres: (value: number) => string;
  /** A moment, unix seconds: its time, and its day where that is another one. */
  moment: (unix: number) => string;
  /** How far off a moment is, in the largest unit that fits. */
  relative: (unix: number, now: number) => string;
  hours: (count: number) => string;
  minutes: (count: number) => string;
}

export function formats(language: string): Formats {
  const number = (value: number, digits = 0): string =>
    new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
  const unit = (value: number, name: string, digits = 0): string =>
    new Intl.NumberFormat(language, { style: 'unit', unit: name, unitDisplay: 'long', maximumFractionDigits: digits }).format(value);
  return {
    number,
    percent: (share) => new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 }).format(share),
    metres: (value) =>
      new Intl.NumberFormat(language, {
        style: 'unit',
        unit: value >= 1000 ? 'kilometer' : 'meter',
        unitDisplay: 'short',
        maximumFractionDigits: value >= 1000 ? 1 : 0,
      }).format(value >= 1000 ? value / 1000 : value),
    moment: (unix) => {
      const at = new Date(unix * 1000);
      const today = at.toDateString() === new Date().toDateString();
      const day = today ? {} : ({ weekday: 'short', day: 'numeric', month: 'short' } as const);
      return new Intl.DateTimeFormat(language, { ...day, hour: '2-digit', minute: '2-digit' }).format(at);
    },
    relative: (unix, now) => {
      const seconds = unix - now;
      const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
      const size = Math.abs(seconds);
      if (size < 60) return format.format(Math.round(seconds), 'second');
      if (size < 3600) return format.format(Math.round(seconds / 60), 'minute');
      if (size < 86_400) return format.format(Math.round(seconds / 3600), 'hour');
      return format.format(Math.round(seconds / 86_400), 'day');
    },
    hours: (count) => unit(count, 'hour'),
    minutes: (count) => unit(count, 'minute'),
  };
}
