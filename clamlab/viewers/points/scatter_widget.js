// The points as a widget of their own; a page holds them among other things.
export default { render: ({ model, el }) => mountScatter(model, el) };
