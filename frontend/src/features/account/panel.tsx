import classes from "./frame.module.css";

// The panel of a signal box: tracks, points, and a lamp at each signal. Routes
// that are set are lit; the rest waits.
const tracks = [
  "M-20 120 H620",
  "M-20 200 H120 C170 200 170 280 220 280 H620",
  "M-20 280 H220",
  "M-20 360 H300 C350 360 350 280 400 280",
  "M-20 440 H180 C230 440 230 360 280 360 H620",
  "M120 120 C170 120 170 200 220 200 H620",
];
const lit = ["M-20 120 H120 C170 120 170 200 220 200 H620", "M-20 440 H180 C230 440 230 360 280 360 H620"];
const lamps: [number, number, string][] = [
  [96, 104, "#3ddc84"],
  [96, 184, "#ff6b62"],
  [254, 184, "#3ddc84"],
  [200, 264, "#ff6b62"],
  [330, 344, "#3ddc84"],
  [268, 376, "#ff6b62"],
  [156, 424, "#3ddc84"],
  [440, 264, "#f4c04e"],
  [500, 104, "#f4c04e"],
];

/** Panel is the picture beside the sign-in forms. */
export function Panel() {
  return (
    <div className={classes.panel}>
      <svg className={classes.diagram} viewBox="0 0 600 800" preserveAspectRatio="xMidYMin slice" role="presentation">
        <pattern id="enamel" width="40" height="40" patternUnits="userSpaceOnUse">
          <path d="M40 0H0V40" fill="none" stroke="#171d23" strokeWidth="1" />
        </pattern>
        <rect width="600" height="800" fill="url(#enamel)" />
        {tracks.map((d) => (
          <path key={d} d={d} fill="none" stroke="#2b343d" strokeWidth="7" strokeLinecap="round" />
        ))}
        {lit.map((d) => (
          <path key={d} d={d} fill="none" stroke="#5c6771" strokeWidth="7" strokeLinecap="round" />
        ))}
        {lit.map((d) => (
          <path
            key={d}
            d={d}
            className={classes.train}
            fill="none"
            stroke="#f2efe8"
            strokeWidth="7"
            strokeLinecap="round"
            pathLength={1000}
            strokeDasharray="110 890"
          />
        ))}
        {lamps.map(([x, y, color]) => (
          <g key={`${x},${y}`}>
            <circle cx={x} cy={y} r="11" fill={color} opacity="0.16" />
            <circle cx={x} cy={y} r="5" fill={color} />
          </g>
        ))}
      </svg>
      <div className={classes.words}>
        <p className={classes.lead}>Every route is set here. No freight passes through.</p>
        <p className={classes.small}>
          Signalbox runs your ML pipelines from outside. Code, data, logs and values stay in your own clusters, sealed
          to keys that only you hold.
        </p>
      </div>
    </div>
  );
}
