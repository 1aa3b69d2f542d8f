import type { Timestamp } from "@cidadao/domain/dates";

/** A place in a list that is ordered newest first. */
export type ListPosition = { createdAt: Timestamp; id: string };

export function olderThan(position: ListPosition): string {
  return `created_at.lt."${position.createdAt}",and(created_at.eq."${position.createdAt}",id.lt."${position.id}")`;
}
