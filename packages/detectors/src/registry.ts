import { amendmentGrowth } from "./amendment-growth.ts";
import { contractSplitting } from "./contract-splitting.ts";
import { contractTerm } from "./contract-term.ts";
import { decemberRush } from "./december-rush.ts";
import type { Detector } from "./define-detector.ts";
import { emergencyRecontracting } from "./emergency-recontracting.ts";
import { firstDigit } from "./first-digit.ts";
import { nearDuplicate } from "./near-duplicate.ts";
import { newSupplier } from "./new-supplier.ts";
import { priceOutlier } from "./price-outlier.ts";
import { publicationLag } from "./publication-lag.ts";
import { repeatedNoCompetition } from "./repeated-no-competition.ts";
import { roundNumber } from "./round-number.ts";
import { sanctionedSupplier } from "./sanctioned-supplier.ts";
import { sharedRegistration } from "./shared-registration.ts";
import { spendingCycle } from "./spending-cycle.ts";
import { supplierConcentration } from "./supplier-concentration.ts";
import { supplierNetwork } from "./supplier-network.ts";
import { thresholdBunching } from "./threshold-bunching.ts";
import { unitPriceOutlier } from "./unit-price-outlier.ts";
import { unrelatedClasses } from "./unrelated-classes.ts";

/** Alphabetical by id. */
export const detectors: readonly Detector[] = [
  amendmentGrowth,
  contractSplitting,
  contractTerm,
  decemberRush,
  emergencyRecontracting,
  firstDigit,
  nearDuplicate,
  newSupplier,
  priceOutlier,
  publicationLag,
  repeatedNoCompetition,
  roundNumber,
  sanctionedSupplier,
  sharedRegistration,
  spendingCycle,
  supplierConcentration,
  supplierNetwork,
  thresholdBunching,
  unitPriceOutlier,
  unrelatedClasses,
];
