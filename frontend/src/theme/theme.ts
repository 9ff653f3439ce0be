import {
  createTheme,
  defaultVariantColorsResolver,
  type MantineColorsTuple,
  type VariantColorsResolver,
  virtualColor,
} from "@mantine/core";

// In a signal box only the lamps have colour. Here too: surfaces and controls
// are ink on paper, and colour is left to say what state a thing is in.

// The same ramp twice, so that filled controls are dark on paper and light in
// the dark: the shades that fill are 7 by day and 8 by night.
const coal: MantineColorsTuple = [
  "#f5f3ee",
  "#ebe8e1",
  "#d6d3cb",
  "#a8a7a2",
  "#7a7b7b",
  "#4d5154",
  "#31363b",
  "#1d2126",
  "#0f1215",
  "#121519",
];
const chalk: MantineColorsTuple = [
  "#f5f3ee",
  "#ebe8e1",
  "#d6d3cb",
  "#a8a7a2",
  "#7a7b7b",
  "#5f6468",
  "#8d9196",
  "#ffffff",
  "#e9e6df",
  "#d9d6ce",
];

const gray: MantineColorsTuple = [
  "#faf9f6",
  "#f4f2ee",
  "#e9e6e0",
  "#dedad2",
  "#c9c5bc",
  "#a19f99",
  "#62646b",
  "#4a4e54",
  "#2c3036",
  "#181b1f",
];

const dark: MantineColorsTuple = [
  "#e9e6df",
  "#bcc0c4",
  "#92989f",
  "#626a72",
  "#2b3138",
  "#232930",
  "#191e23",
  "#0f1317",
  "#0b0e11",
  "#07090b",
];

// Quiet buttons that destroy are red like every other warning here.
const variants: VariantColorsResolver = (input) => {
  const colors = defaultVariantColorsResolver(input);
  if (input.variant !== "subtle" || input.color !== "red") return colors;
  return { ...colors, color: "var(--sb-tone-bad)", hover: "var(--sb-bg-bad)" };
};

export const theme = createTheme({
  variantColorResolver: variants,
  primaryColor: "ink",
  primaryShade: { light: 7, dark: 8 },
  autoContrast: true,
  luminanceThreshold: 0.4,
  colors: { ink: virtualColor({ name: "ink", light: "coal", dark: "chalk" }), coal, chalk, gray, dark },
  white: "#ffffff",
  black: "#181b1f",
  fontFamily: '"Inter Variable", system-ui, sans-serif',
  fontFamilyMonospace: '"JetBrains Mono Variable", ui-monospace, monospace',
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.125rem" },
  lineHeights: { xs: "1.4", sm: "1.45", md: "1.5", lg: "1.5", xl: "1.5" },
  defaultRadius: "md",
  radius: { xs: "3px", sm: "5px", md: "7px", lg: "10px", xl: "16px" },
  headings: {
    fontWeight: "620",
    sizes: {
      h1: { fontSize: "1.375rem", lineHeight: "1.3" },
      h2: { fontSize: "1rem", lineHeight: "1.4" },
      h3: { fontSize: "0.875rem", lineHeight: "1.4" },
    },
  },
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: "sm" } },
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray" } },
    TextInput: { defaultProps: { size: "sm" } },
    PasswordInput: { defaultProps: { size: "sm" } },
    Select: { defaultProps: { size: "sm", allowDeselect: false } },
    // What fills them is light in the dark: their marks must not be.
    Checkbox: { defaultProps: { iconColor: "var(--mantine-color-body)" } },
    Radio: { defaultProps: { iconColor: "var(--mantine-color-body)" } },
    Tooltip: {
      defaultProps: {
        openDelay: 250,
        withArrow: true,
        arrowSize: 6,
        events: { hover: true, focus: true, touch: true },
      },
    },
    Modal: {
      styles: { title: { fontWeight: 620 } },
      defaultProps: {
        centered: true,
        closeButtonProps: { "aria-label": "Close" },
        overlayProps: { backgroundOpacity: 0.45, blur: 2 },
      },
    },
    Notification: { defaultProps: { closeButtonProps: { "aria-label": "Put this message away" } } },
    Menu: { defaultProps: { shadow: "md", position: "bottom-end", width: 220 } },
    Skeleton: { defaultProps: { radius: "sm" } },
  },
});
