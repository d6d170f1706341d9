/** How long counting may take; what takes longer is counted in part. */
export const COUNT_MS = 165;
