// The look: one accent, system fonts, an 8-pixel grid, flat surfaces. Colours are chosen to keep a contrast of
// at least 4.5 : 1 for text in both modes; the browser tests measure it.
import { theme, type ThemeConfig } from 'antd';

const FONTS =
  'system-ui, -apple-system, "Segoe UI", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", sans-serif';
const CODE_FONTS =
  'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", "Noto Sans Mono CJK SC", monospace';

/** Series of charts: distinguishable with the common kinds of colour blindness (Okabe–Ito, darkened). */
export const chartColours = {
  light: {
    today: '#1f5aad',
    yesterday: '#8a94a3',
    bad: '#b3471d',
    grid: '#e3e7ec',
    text: '#4a5361',
  },
  dark: {
    today: '#7db0f5',
    yesterday: '#8792a2',
    bad: '#e89a6c',
    grid: '#2b323c',
    text: '#b4bdc9',
  },
};

export function themeConfig(dark: boolean): ThemeConfig {
  return {
    algorithm: dark ? theme.darkAlgorithm : theme.defaultAlgorithm,
    token: {
      colorPrimary: dark ? '#3f82dc' : '#1f5aad',
      // The library lightens a hovered button in the dark until white text on it can no longer be read.
      ...(dark ? { colorPrimaryHover: '#3b74c4', colorPrimaryActive: '#2f62ab' } : {}),
      colorInfo: dark ? '#3f82dc' : '#1f5aad',
      colorLink: dark ? '#7db0f5' : '#1f5aad',
      colorSuccess: dark ? '#3f9f64' : '#1d7a43',
      colorWarning: dark ? '#ecae3d' : '#96600a',
      colorError: dark ? '#ff8a7e' : '#b8291d',
      // The library's own shades of these colours are too dark in the light and too bright in the dark.
      colorSuccessBg: dark ? '#16291e' : '#eaf5ee',
      colorSuccessBorder: dark ? '#2c5a3c' : '#a9d3b8',
      colorInfoBg: dark ? '#172537' : '#eaf1fb',
      colorInfoBorder: dark ? '#2d4f7c' : '#a9c4ea',
      colorWarningBg: dark ? '#2e2512' : '#fdf5e6',
      colorWarningBorder: dark ? '#64501f' : '#e6cb94',
      colorErrorBg: dark ? '#341c1b' : '#fcedeb',
      colorErrorBorder: dark ? '#70362f' : '#eab3ac',
      colorBgLayout: dark ? '#12161c' : '#f5f6f8',
      colorBgContainer: dark ? '#1a1f27' : '#ffffff',
      colorBgElevated: dark ? '#222831' : '#ffffff',
      colorText: dark ? '#e4e8ee' : '#1b222c',
      colorTextSecondary: dark ? '#b4bdc9' : '#4a5361',
      colorTextDescription: dark ? '#a7b1be' : '#57606e',
      colorTextPlaceholder: dark ? '#8f99a7' : '#6b7482',
      // What cannot be changed still has to be read.
      colorTextDisabled: dark ? '#8f99a7' : '#6b7482',
      borderRadius: 4,
      fontFamily: FONTS,
      fontFamilyCode: CODE_FONTS,
      fontSize: 14,
      sizeUnit: 4,
      sizeStep: 4,
      boxShadow: 'none',
      boxShadowTertiary: 'none',
    },
    components: {
      Button: {
        primaryShadow: 'none',
        defaultShadow: 'none',
        dangerShadow: 'none',
        // On the light red of the dark mode only dark text can be read.
        ...(dark ? { dangerColor: '#1b1210' } : {}),
      },
      Tabs: dark ? { itemSelectedColor: '#7db0f5', inkBarColor: '#7db0f5' } : {},
      Menu: { itemHeight: 36, itemMarginInline: 8, activeBarBorderWidth: 0, collapsedWidth: 56 },
      Table: { cellPaddingBlockSM: 6, cellPaddingInlineSM: 8 },
      Form: { itemMarginBottom: 16, verticalLabelPadding: '0 0 4px' },
    },
  };
}
