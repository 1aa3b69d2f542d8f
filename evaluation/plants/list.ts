import { decemberRush, firstDigit, spendingCycle, thresholdBunching } from "./agencies.ts";
import { contractSplitting, emergencyRecontracting, repeatedNoCompetition, supplierConcentration } from "./awards.ts";
import { amendmentGrowth, contractTerm, nearDuplicate, publicationLag } from "./contracts.ts";
import type { Plant } from "./plant.ts";
import { priceOutlier, roundNumber, unitPriceOutlier } from "./prices.ts";
import { newSupplier, sanctionedSupplier, sharedRegistration, supplierNetwork, unrelatedClasses } from "./suppliers.ts";

/** Alphabetical by detector: one kind for each. */
export const plants: readonly Plant[] = [
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
