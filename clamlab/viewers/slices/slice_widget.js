// The slice viewer as a widget of its own; other widgets hold one among other things.
export default { render: ({ model, el }) => mountViewer(model, el) };
