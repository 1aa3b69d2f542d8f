import { amendmentGrowth } from "./amendment-growth.ts";
import { contractSplitting } from "./contract-splitting.ts";
import type { Detector } from "./define-detector.ts";
import { priceOutlier } from "./price-outlier.ts";
import { sanctionedSupplier } from "./sanctioned-supplier.ts";
import { supplierConcentration } from "./supplier-concentration.ts";

/** Alphabetical by id. */
export const detectors: readonly Detector[] = [
  amendmentGrowth,
  contractSplitting,
  priceOutlier,
  sanctionedSupplier,
  supplierConcentration,
];
