/** Says whether the page follows the relay; pressing it stops and goes on. */
export function LiveMark() {
  return (
    <button
      type="button"
      class="button quiet"
      title="Pause or resume live updates"
      data-live-toggle
      hidden
    >
      <span class="live" data-live-state data-state="off">Connecting</span>
    </button>
  );
}
