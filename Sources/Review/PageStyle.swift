/// The page's own styles and script.
enum PageStyle {
    static let css = """
        :root { color-scheme: light dark; --paper: #fff; --ink: #1c2126; --faint: #66707a; --rule: #dfe3e7;
          --caller: #1769c4; --caller-back: #e3eefb; --agent: #a8580a; --agent-back: #fbeedd; --stop: #b3261e;
          --turn: #16794a; --other: #66518f; --head: #d0021b }
        @media (prefers-color-scheme: dark) { :root { --paper: #14181c; --ink: #e4e8ec; --faint: #98a3ad;
          --rule: #2d343b; --caller: #6cb0f7; --caller-back: #18304a; --agent: #f0a85a; --agent-back: #402c15;
          --stop: #ff8a80; --turn: #66cf9b; --other: #bba6e8; --head: #ff6b6b } }
        * { box-sizing: border-box }
        body { margin: 0 auto; max-width: 1260px; padding: 24px; background: var(--paper); color: var(--ink);
          font: 15px/1.45 system-ui, sans-serif }
        h1 { font-size: 20px; margin: 0 0 12px } h1 code { font-size: 16px; font-weight: 500 }
        h2 { font-size: 16px; margin: 28px 0 8px }
        dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); gap: 10px 20px; margin: 0 }
        dt { color: var(--faint); font-size: 12px } dd { margin: 0; overflow-wrap: anywhere }
        .missing { border-left: 4px solid var(--stop); padding: 6px 12px; margin: 12px 0 }
        audio { width: 100%; margin-bottom: 6px }
        .legend { color: var(--faint); font-size: 13px; margin: 0 0 6px }
        .legend span { margin-right: 14px } .legend .caller { color: var(--caller) } .legend .agent { color: var(--agent) }
        .score { display: block; width: 100%; height: auto; border-bottom: 1px solid var(--rule); margin-bottom: 6px;
          break-inside: avoid; font: 10px system-ui, sans-serif }
        .tick { stroke: var(--rule) } .time { fill: var(--faint); font-size: 9px }
        .span rect { stroke: none } .span.caller rect { fill: var(--caller-back) } .span.agent rect { fill: var(--agent-back) }
        .span text { fill: var(--ink) }
        .wave { fill: none; stroke-width: 1.3 } .wave.caller { stroke: var(--caller) } .wave.agent { stroke: var(--agent) }
        .mark { color: var(--other) } .mark.turn, .mark.reopened { color: var(--turn) }
        .mark.pause, .mark.clear, .mark.cancel, .mark.note { color: var(--stop) }
        .mark.duck, .mark.unduck, .mark.resume { color: var(--faint) }
        .mark text { fill: currentColor } .mark line { stroke: currentColor; stroke-opacity: .65 }
        .head { stroke: var(--head); stroke-width: 1.5 }
        .turns { list-style: none; margin: 0; padding: 0 }
        .turns li { display: grid; grid-template-columns: 82px 56px 1fr; gap: 0 10px; padding: 7px 8px;
          border-left: 4px solid; margin-bottom: 4px; break-inside: avoid }
        .turns .caller { border-color: var(--caller) } .turns .agent { border-color: var(--agent) }
        .turns .caller .who { color: var(--caller) } .turns .agent .who { color: var(--agent) }
        .turns p { margin: 0; grid-column: 3; overflow-wrap: anywhere } .why { color: var(--faint); font-size: 13px }
        .why.cut { color: var(--stop) }
        .waterfall { grid-column: 3; margin-top: 4px } .waterfall svg { display: block; width: 100%; max-width: 760px; height: 26px }
        .waterfall p { font-size: 12px; color: var(--faint) }
        .key { margin-right: 8px; white-space: nowrap } .key::before { content: ""; display: inline-block; width: 9px;
          height: 9px; margin-right: 4px; background: currentColor }
        .stage-text { color: #7a8fa6; fill: #7a8fa6 } .stage-turn { color: #2f9e6a; fill: #2f9e6a }
        .stage-request { color: #5f9fb8; fill: #5f9fb8 }
        .stage-token { color: #9a76d0; fill: #9a76d0 } .stage-audio { color: #d9822b; fill: #d9822b }
        .stage-heard { color: #c9473f; fill: #c9473f }
        button { font: 13px ui-monospace, monospace; color: inherit; background: none; border: 0; padding: 0;
          text-align: left; font-variant-numeric: tabular-nums }
        .plays [data-play] { cursor: pointer } .plays button { text-decoration: underline dotted }
        .plays .word:hover { background: var(--caller-back) }
        table { border-collapse: collapse; width: 100%; font-size: 13px }
        th, td { text-align: left; vertical-align: top; padding: 4px 10px 4px 0; border-bottom: 1px solid var(--rule);
          overflow-wrap: anywhere } th { font-weight: 600 }
        .decisions th:nth-child(1) { width: 90px } .decisions th:nth-child(2) { width: 30% }
        .decisions .turn td:nth-child(2) { color: var(--turn) }
        .decisions .pause td:nth-child(2), .decisions .clear td:nth-child(2) { color: var(--stop) }
        @media print { body { max-width: none; padding: 0; font-size: 11px } audio { display: none } }
        """

    /// Clicking what has `data-play` plays from there to `data-end`; the head runs along the rows.
    static let script = """
        const sound = document.getElementById("sound"), start = Number(sound.dataset.start);
        const rows = Array.from(document.querySelectorAll(".score"));
        let until = Infinity;
        document.body.classList.add("plays");
        document.addEventListener("click", event => {
          const place = event.target.closest("[data-play]");
          if (!place) return;
          until = place.dataset.end ? Number(place.dataset.end) : Infinity;
          sound.currentTime = Math.max(0, (Number(place.dataset.play) - start) / 1000);
          sound.play();
        });
        function follow() {
          const now = sound.currentTime * 1000 + start;
          if (now >= until) { until = Infinity; sound.pause(); }
          for (const row of rows) {
            const head = row.querySelector(".head"), from = Number(row.dataset.from), to = Number(row.dataset.to);
            const isHere = now >= from && now < to;
            head.setAttribute("visibility", isHere ? "visible" : "hidden");
            if (isHere) for (const end of ["x1", "x2"]) head.setAttribute(end, (now - from) / (to - from) * 1200);
          }
          if (!sound.paused) requestAnimationFrame(follow);
        }
        sound.addEventListener("play", follow);
        sound.addEventListener("seeked", follow);
        """
}
