// Small conveniences: every page works without them.
(function () {
  'use strict'

  document.body.classList.add('js-enabled')
  if ('noModule' in HTMLScriptElement.prototype) {
    document.body.classList.add('govuk-frontend-supported')
  }

  import(document.currentScript.dataset.govuk).then(function (govuk) {
    govuk.initAll()
  })

  // A form is sent once, however often its button is pressed.
  document.addEventListener('submit', function (event) {
    var form = event.target
    if (form.method !== 'post' || form.hasAttribute('data-sent')) {
      if (form.method === 'post') event.preventDefault()
      return
    }
    form.setAttribute('data-sent', '')
    window.addEventListener('pageshow', function () { form.removeAttribute('data-sent') })
  })

  // An area of a map ticks its box in the list beside it, and shows whether it is ticked.
  document.querySelectorAll('a[data-ticks]').forEach(function (area) {
    var box = document.getElementById(area.dataset.ticks)
    if (!box) return
    var show = function () {
      area.firstElementChild.classList.toggle('dps-map__area--3', box.checked)
      area.firstElementChild.classList.toggle('dps-map__area--0', !box.checked)
    }
    area.addEventListener('click', function (event) {
      event.preventDefault()
      box.click()
    })
    box.addEventListener('change', show)
    show()
  })

  // A slider and its number say the same.
  document.querySelectorAll('input[data-number]').forEach(function (slider) {
    var number = document.getElementById(slider.dataset.number)
    slider.addEventListener('input', function () { number.value = slider.value })
    number.addEventListener('input', function () { slider.value = number.value || 0 })
  })

  // Tables are read as cards where there is no room; their roles are said, because a card is no table to a browser.
  var stack = function (within) {
    within.querySelectorAll('.dps-scroll > table.govuk-table').forEach(function (table) {
      var heads = Array.from(table.querySelectorAll('thead th')).map(function (head) { return head.textContent.trim() })
      if (!heads.length || table.classList.contains('dps-stacked')) return
      table.classList.add('dps-stacked')
      table.setAttribute('role', 'table')
      table.querySelectorAll('thead, tbody').forEach(function (part) { part.setAttribute('role', 'rowgroup') })
      table.querySelectorAll('thead th').forEach(function (head) { head.setAttribute('role', 'columnheader') })
      table.querySelectorAll('tr').forEach(function (row) { row.setAttribute('role', 'row') })
      table.querySelectorAll('tbody tr').forEach(function (row) {
        Array.from(row.children).forEach(function (cell, place) {
          cell.setAttribute('role', cell.tagName === 'TH' ? 'rowheader' : 'cell')
          if (cell.tagName === 'TD' && cell.colSpan === 1 && heads[place]) cell.dataset.column = heads[place]
        })
      })
    })
  }
  stack(document)
  document.addEventListener('htmx:load', function (event) { stack(event.target) })

  // A session that is about to end says so, and can be kept; nothing that was typed is lost.
  var warning = document.getElementById('session-warning')
  if (!warning) return
  var lasts = Number(warning.dataset.lasts) * 1000
  var before = Number(warning.dataset.before) * 1000
  var extensions = Number(warning.dataset.extensions)
  var ends = 0
  var timer = 0
  var restart = function () {
    ends = Date.now() + lasts
    clearTimeout(timer)
    timer = setTimeout(warn, lasts - before)
  }
  var warn = function () {
    if (extensions > 0) warning.showModal()
    timer = setTimeout(function () { window.location.reload() }, Math.max(ends - Date.now(), 0) + 1000)
  }
  warning.addEventListener('close', function () {
    extensions -= 1
    var form = new URLSearchParams({ csrf: warning.dataset.csrf })
    fetch('/session', { method: 'POST', body: form, redirect: 'error' }).then(function (answer) {
      if (answer.ok) restart()
    })
  })
  warning.querySelector('button').addEventListener('click', function () { warning.close() })
  restart()
})()
