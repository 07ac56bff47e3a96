"""The explorer in a notebook: Jupyter, marimo, VS Code (the extra `notebook`)."""

from typing import Any, Literal

from vaelab.errors import VaelabError
from vaelab.explorer.assemble import notebook_module, style_sheet
from vaelab.explorer.bundle import Bundle, engine_for
from vaelab.explorer.economy import Economy
from vaelab.explorer.explored import Explored
from vaelab.language import translated


def widget(
    bundle: Bundle,
    *,
    lang: Literal["en", "zh"] | None = None,
    theme: Literal["light", "dark"] | None = None,
    height: str = "860px",
) -> Any:
    """An anywidget with the explorer in it. What is pinned and selected comes back: `pinned` (z), `pinned_image`, `selected`.

    `lang` and `theme` are the browser's own where they are None. The weights go to the page in half precision; those of a model
    that only Python can decode stay away, and the page says so.

    Raises:
        VaelabError: where anywidget is not installed.
    """
    return _widget_class()(
        view=bundle.light_view(Economy()),
        weights=[_weights_in_page(bundle, run) for run in range(len(bundle.explored))],
        lang=lang or "",
        theme=theme or "",
        height=height,
    )


def _weights_in_page(bundle: Bundle, run: int) -> bytes:
    place, _ = engine_for(bundle.explored[run].model)
    return bundle.weights(run, half=True) if place == "page" else b""


def widget_of(explored: Explored, **options: Any) -> Any:
    """The widget of one model that is in memory; `options` are those of `widget`.

    Raises:
        VaelabError: where anywidget is not installed.
    """
    return widget(Bundle((explored,)), **options)


def _widget_class() -> Any:
    try:
        import anywidget
        import traitlets
    except ImportError:
        raise VaelabError(
            translated("the explorer in a notebook needs anywidget: pip install 'vaelab[notebook]'")
        ) from None

    class ExplorerWidget(anywidget.AnyWidget):
        """The page's component, its columns and weights, and what the user pinned and selected."""

        _esm = notebook_module()
        _css = style_sheet()
        view = traitlets.Bytes().tag(sync=True)
        weights = traitlets.List(traitlets.Bytes()).tag(sync=True)
        lang = traitlets.Unicode("").tag(sync=True)
        theme = traitlets.Unicode("").tag(sync=True)
        height = traitlets.Unicode("860px").tag(sync=True)
        pinned = traitlets.List(traitlets.Float()).tag(sync=True)
        pinned_image = traitlets.Int(None, allow_none=True).tag(sync=True)
        selected = traitlets.List(traitlets.Int()).tag(sync=True)

    return ExplorerWidget
