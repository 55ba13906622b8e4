/// The look of `/docs`: readable on a phone, and in the dark.
enum PageStyle {
    static let markup = HTMLText(stringLiteral: css)

    static let css = """

        :root { --text: #1c2127; --faint: #5f6b76; --line: #dfe3e8; --page: #fff; --raised: #f5f7f9; --link: #0b5cad;
          --ok: #1a7f4b; --bad: #b3362b; --get: #0b6bb5; --post: #1a7f4b; --put: #96600b; --delete: #b3362b; }
        @media (prefers-color-scheme: dark) {
          :root { --text: #dfe5eb; --faint: #93a0ad; --line: #303840; --page: #14181c; --raised: #1c2228;
            --link: #6cb2f5; --ok: #52c58a; --bad: #f08579; --get: #6cb2f5; --post: #52c58a; --put: #e0ab54;
            --delete: #f08579; }
        }
        * { box-sizing: border-box; }
        html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
        body { margin: 0; color: var(--text); background: var(--page);
          font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, Ubuntu, sans-serif; }
        main { max-width: 54rem; margin: 0 auto; padding: 1.5rem 1.25rem 6rem; }
        a { color: var(--link); }
        h3 a, nav a { text-decoration: none; }
        h3 a:hover, nav a:hover { text-decoration: underline; }
        h1 { font-size: 2rem; margin: 0 0 1rem; }
        h1 small, .note, i { color: var(--faint); font-weight: normal; font-style: normal; }
        h1 small { font-size: 1rem; }
        h2 { font-size: 1.5rem; margin: 4rem 0 .75rem; padding-bottom: .35rem; border-bottom: 2px solid var(--line); }
        h3 { font-size: 1.15rem; margin: 0 0 .5rem; }
        h3 a { color: inherit; }
        h4 { font-size: .95rem; margin: 1.5rem 0 .5rem; }
        h5 { font-size: .875rem; margin: .75rem 0 .25rem; color: var(--faint); }
        p { margin: 0 0 .75rem; }
        article { padding: 2rem 0 1.5rem; border-bottom: 1px solid var(--line); }
        article:target h3 a { color: var(--link); }
        code, pre, .route { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; }
        code { font-size: .875em; overflow-wrap: anywhere; }
        p code, td code { background: var(--raised); border-radius: .25rem; padding: .1em .3em; }
        pre { margin: .5rem 0 1rem; padding: .75rem 1rem; font-size: .8125rem; line-height: 1.5; white-space: pre-wrap;
          overflow-wrap: anywhere; background: var(--raised); border: 1px solid var(--line); border-radius: .375rem; }
        .route { display: flex; align-items: baseline; gap: .5rem; }
        .route code { background: none; padding: 0; font-size: .9375rem; }
        b { font-weight: 650; }
        b.get { color: var(--get); } b.post { color: var(--post); } b.put, b.patch { color: var(--put); }
        b.delete, b.bad { color: var(--bad); } b.ok { color: var(--ok); }
        table { border-collapse: collapse; margin: .5rem 0 1rem; font-size: .875rem; }
        th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0;
          border-bottom: 1px solid var(--line); }
        th { color: var(--faint); font-weight: 600; }
        td:first-child code, td:nth-child(2) code { overflow-wrap: normal; }
        td:last-child { min-width: 9rem; padding-right: 0; }
        summary { cursor: pointer; color: var(--link); font-size: .875rem; }
        .note { font-size: .875rem; }
        nav { padding: .6rem 1.25rem; font-size: .875rem; background: var(--raised);
          border-bottom: 1px solid var(--line); scroll-target-group: auto; }
        nav summary { font-size: 1rem; }
        /* Where one is, in browsers that know it by themselves. */
        nav a:target-current { font-weight: 700; color: var(--link); }
        nav ul { list-style: none; margin: 0; padding: 0; }
        nav li a { display: block; padding: .2rem 0; color: inherit; overflow: hidden; text-overflow: ellipsis;
          white-space: nowrap; }
        nav h4 { margin: 1.25rem 0 .25rem; }
        nav b { display: inline-block; width: 3.75rem; font-size: .6875rem; }
        .route b { font-size: .875rem; }
        @media (min-width: 40rem) {
          td:last-child { min-width: 14rem; }
        }
        /* On a phone a row is a block: no column is out of sight. */
        @media (max-width: 40rem) {
          table, tbody, tr, td { display: block; }
          tr:has(th) { display: none; }
          tr { padding: .4rem 0; border-bottom: 1px solid var(--line); }
          td { padding: 0; border: none; }
        }
        @media (min-width: 70rem) {
          body { display: grid; grid-template-columns: 19rem 1fr; }
          nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: .25rem 1.25rem 1.25rem;
            border-bottom: none; border-right: 1px solid var(--line); }
          /* Folded on a phone, it stands open where there is room. */
          nav details::details-content { content-visibility: visible; block-size: auto; }
          nav summary { display: none; }
          main { margin: 0; padding: 2rem 3rem 8rem; }
        }

        """
}
