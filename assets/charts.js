// The part of ECharts that report pages use. Always: aria on, rich-text tooltips (HTML ones break the CSP).
import * as core from "echarts/core";
import { BarChart, LineChart, MapChart, PieChart } from "echarts/charts";
import {
  AriaComponent, DatasetComponent, GeoComponent, GridComponent, LegendComponent, TitleComponent, TooltipComponent, VisualMapComponent,
} from "echarts/components";
import { CanvasRenderer } from "echarts/renderers";
import { LabelLayout } from "echarts/features";

core.use([
  BarChart, LineChart, MapChart, PieChart, AriaComponent, DatasetComponent, GeoComponent, GridComponent, LegendComponent,
  TitleComponent, TooltipComponent, VisualMapComponent, CanvasRenderer, LabelLayout,
]);
window.echarts = core;
